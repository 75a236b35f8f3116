"""Training on the device itself, by a .tflite with a `train` signature.

`trainer` holds the functions of such a model, `builtin_gradients` and
`batch_norm` write what LiteRT lacks in operations that it has, `export` makes
the file, `session` runs it without TensorFlow, and `trained` turns what it
learned into a patch.
"""

from object_detection_patch.keras_version import choose_legacy_keras

# Before the modules here import TensorFlow.
choose_legacy_keras()
