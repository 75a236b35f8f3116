"""What training costs, counted before it runs: operations and memory.

`network` holds operations, `rules` what each kind costs, `costs` the sum by
layer. `blocks` writes the blocks of the MobileTL paper down; `graph` reads
the operations off a built Keras model.
"""

from object_detection_patch.keras_version import choose_legacy_keras

# Before the modules here import TensorFlow.
choose_legacy_keras()
