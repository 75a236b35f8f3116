"""Picks the Keras in use: legacy Keras 2, the package `tf_keras`.

The OD API is written for Keras 2. TensorFlow 2.16 and later serve Keras 3 as
`tf.keras` unless TF_USE_LEGACY_KERAS is set before TensorFlow is imported,
and layers of the two cannot be mixed in one model. Whatever of ours needs
Keras imports it from here, so that the choice is made once:

    from object_detection_patch.keras_version import keras

The choice can go when the OD API itself runs on Keras 3.
"""

from __future__ import annotations

import importlib
import os
import sys
from types import ModuleType

_SETTING = "TF_USE_LEGACY_KERAS"
# The spellings TensorFlow itself understands (util/lazy_loader.py, 2.20).
_ON = ("1", "true", "True")


def require_legacy_keras() -> ModuleType:
    """Makes `tf.keras` be Keras 2 and returns that module, `tf_keras`.

    Sets TF_USE_LEGACY_KERAS=1 if the environment says nothing and TensorFlow
    is not imported yet. Cheap to call again.

    Raises:
      RuntimeError: if TF_USE_LEGACY_KERAS is switched off, or TensorFlow was
        already imported with another Keras.
      ImportError: if `tf_keras` is not installed.
    """
    choose_legacy_keras()
    tf_keras = _import_tf_keras()
    _refuse_other_keras(tf_keras)
    return tf_keras


def choose_legacy_keras() -> None:
    """The choice alone, without importing TensorFlow.

    For the first line of a room whose modules import TensorFlow at the top.

    Raises:
      RuntimeError: as `require_legacy_keras`.
    """
    value = os.environ.get(_SETTING)
    if value in _ON:
        return
    _refuse_imported_tensorflow()
    if value is not None:
        raise RuntimeError(
            "The OD API runs on Keras 2 only, so the environment variable "
            f"{_SETTING} must be 1 or unset. Received: {value!r}. Mend: "
            f"unset it, or set {_SETTING}=1."
        )
    os.environ[_SETTING] = "1"


def _refuse_imported_tensorflow() -> None:
    # While it is imported TensorFlow already loads parts of the Keras that
    # the setting names at that moment: setting it now would mix the two.
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is not None:
        raise RuntimeError(_imported_too_early(tensorflow))


def _refuse_other_keras(tf_keras: ModuleType) -> None:
    # `tf_keras` has imported TensorFlow by now.
    tensorflow = sys.modules["tensorflow"]
    if tensorflow.keras.layers.Layer is not tf_keras.layers.Layer:
        raise RuntimeError(_imported_too_early(tensorflow))


def _imported_too_early(tensorflow: ModuleType) -> str:
    version = getattr(tensorflow, "__version__", "of unknown version")
    keras = getattr(tensorflow, "keras", None)
    keras_version = getattr(keras, "__version__", "of unknown version")
    return (
        f"{_SETTING}=1 must be set before TensorFlow is imported, because the "
        "OD API runs on Keras 2 only. Received: TensorFlow "
        f"{version}, already imported, with Keras {keras_version} as "
        f"`tf.keras`. Mend: set {_SETTING}=1 in the environment, or import "
        "object_detection_patch.keras_version before TensorFlow."
    )


def _import_tf_keras() -> ModuleType:
    try:
        return importlib.import_module("tf_keras")
    except ModuleNotFoundError as error:
        if error.name != "tf_keras":
            raise
        raise ImportError(
            "Keras 2 is needed: the package `tf_keras` is not installed. "
            'Mend: pip install "object_detection_patch[train]"'
        ) from error


def __getattr__(name: str) -> ModuleType:
    # Late, so that choosing Keras costs nothing where none is installed.
    if name == "keras":
        return require_legacy_keras()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
