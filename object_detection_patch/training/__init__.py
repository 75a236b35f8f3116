"""HOW a patch is trained: only what the OD API's own loop lacks."""

from object_detection_patch.keras_version import choose_legacy_keras

choose_legacy_keras()
