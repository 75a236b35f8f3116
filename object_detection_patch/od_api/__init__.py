"""WHERE a patch attaches: the only room that imports the OD API."""

from object_detection_patch.keras_version import choose_legacy_keras

choose_legacy_keras()
