"""The verbs of `python -m tfrecords_tools`, one module each.

A module has HELP (one line), DESCRIPTION, `add_flags(parser)` and
`run(options)`, which returns the exit status.
"""
