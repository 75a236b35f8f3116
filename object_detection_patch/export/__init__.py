"""Publishing: a base for phones once, then patches for it."""

from object_detection_patch.keras_version import choose_legacy_keras

choose_legacy_keras()
