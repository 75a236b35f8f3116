"""Cascades: cheap detectors answer what they are sure of, dear ones the rest.

`construction` chooses them, `confidence` says how sure a detector is, and
`members` and `measured` run the detectors of a base and its patches.
"""

from object_detection_patch.keras_version import choose_legacy_keras

# Before the modules here import TensorFlow.
choose_legacy_keras()
