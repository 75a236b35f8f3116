"""Checkpoints to patches and back: extract, merge."""

from object_detection_patch.keras_version import choose_legacy_keras

choose_legacy_keras()
