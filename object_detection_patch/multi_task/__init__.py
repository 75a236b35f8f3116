"""Several tasks train one base together; each keeps a patch to itself.

Reference: Mudrarkarta et al., K for the Price of 1: Parameter-efficient
Multi-task and Transfer Learning, ICLR 2019, Sections 2 and 5.3.
"""

from object_detection_patch.keras_version import choose_legacy_keras

# Before the modules here import TensorFlow.
choose_legacy_keras()
