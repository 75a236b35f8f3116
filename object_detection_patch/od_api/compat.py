"""Lets the OD API run on today's TensorFlow, numpy and Pillow.

The OD API was last adapted to TensorFlow 2.8 or so. Each thing it misses in
newer packages is one `Fix` below: a function that looks whether the thing is
missing, puts it back if so, and tells whether it did. A fix that is not
needed changes nothing, so the table can be enabled on old packages too, and
an entry can be deleted when its `until` has come. Nothing here depends on
which copy of the OD API is installed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import importlib
import importlib.util
import pathlib
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from object_detection_patch.keras_version import require_legacy_keras

_INSTALL = "od-patch install-od-api"


@dataclasses.dataclass(frozen=True)
class Fix:
    """One thing the OD API needs and today's packages lack.

    Attributes:
      name: short, unique.
      reason: what fails without it, and since which version.
      until: what lets someone delete it.
      apply: puts the thing back; True if it was missing.
    """

    name: str
    reason: str
    until: str
    apply: Callable[[], bool]


_FIXES: list[Fix] = []


def _fix(
    *, reason: str, until: str
) -> Callable[[Callable[[], bool]], Callable[[], bool]]:
    """Registers the decorated function as the fix of that name."""

    def register(apply: Callable[[], bool]) -> Callable[[], bool]:
        name = apply.__name__.strip("_")
        _FIXES.append(Fix(name, reason, until, apply))
        return apply

    return register


def enable() -> None:
    """Makes `object_detection` importable and working; call before using it.

    Touches no TensorFlow setting (devices, eager mode, random seeds).
    Calling it again does nothing.

    Raises:
      ImportError: if `object_detection` is missing or incomplete.
      RuntimeError: if TensorFlow was imported with Keras 3 before.
    """
    _enable_once()


def known_fixes() -> tuple[Fix, ...]:
    """Every fix, needed here or not, in the order they are applied."""
    return tuple(_FIXES)


def applied_fixes() -> tuple[Fix, ...]:
    """The fixes that the installed packages needed. Calls `enable`."""
    return _enable_once()


@functools.cache
def _enable_once() -> tuple[Fix, ...]:
    _require_object_detection()
    require_legacy_keras()
    return tuple(fix for fix in _FIXES if fix.apply())


def _require_object_detection() -> None:
    spec = importlib.util.find_spec("object_detection")
    if spec is None:
        raise ImportError(
            "The TF2 Object Detection API must be importable as "
            "`object_detection`. Received: no such package. "
            f"Mend: {_INSTALL}"
        )
    for module, meaning in (
        ("model_lib_v2", "a TF1-era copy without `model_lib_v2`"),
        ("protos.pipeline_pb2", "a copy whose protos were never compiled"),
    ):
        if not _is_importable(f"object_detection.{module}"):
            folder = list(spec.submodule_search_locations or ())
            raise ImportError(
                "The TF2 Object Detection API must be complete. Received: "
                f"{meaning}, in {folder}. Mend: {_INSTALL}"
            )


def _is_importable(module: str) -> bool:
    # What a fix put into sys.modules has no spec to find.
    if sys.modules.get(module) is not None:
        return True
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # a parent package is missing
        return False


def refuse_missing_devices(devices: Sequence[str]) -> None:
    """Raises before a MirroredStrategy waits for ever for a missing device.

    A replica on a device that does not exist is placed elsewhere silently,
    and the replicas' all-reduce then never completes: no error, no CPU use.
    Starts the TensorFlow runtime, as building the strategy does.

    Args:
      devices: names as MirroredStrategy takes them, e.g. "/cpu:1", "GPU:0".

    Raises:
      ValueError: naming the devices that do not exist, or a bad name.
    """
    tf = importlib.import_module("tensorflow")
    present = {
        _device_key(tf, device.name)
        for device in tf.config.list_logical_devices()
    }
    missing = [name for name in devices if _device_key(tf, name) not in present]
    if missing:
        seen = ", ".join(f"{kind}:{index}" for kind, index in sorted(present))
        raise ValueError(
            "Every device of a MirroredStrategy must exist. Received: "
            f"{missing}, and TensorFlow sees {seen}. Mend: name existing "
            "devices, or split one with "
            "tf.config.set_logical_device_configuration before TensorFlow "
            "starts."
        )


def _device_key(tf: ModuleType, name: str) -> tuple[str, int]:
    # "/cpu:1" and "CPU:1" are spellings of "/device:CPU:1".
    spelled = name if name.startswith("/") else f"/{name}"
    try:
        spec = tf.DeviceSpec.from_string(spelled)
    except ValueError as error:
        raise ValueError(
            "A device must be named like '/cpu:0' or '/GPU:1'. "
            f"Received: {name!r}."
        ) from error
    if spec.device_type is None:
        raise ValueError(
            "A device must be named like '/cpu:0' or '/GPU:1'. "
            f"Received: {name!r}."
        )
    return spec.device_type.upper(), spec.device_index or 0


@_fix(
    reason=(
        "metrics read np.float and its like, gone in numpy 1.24, and np.NAN, "
        "gone in numpy 2.0; its tests read np.string_ too"
    ),
    until="the OD API writes float, int, bool, object, np.nan, np.bytes_",
)
def _numpy_names() -> bool:
    import numpy as np

    names: dict[str, Any] = {
        "float": float,
        "int": int,
        "bool": bool,
        "object": object,
        "string_": np.bytes_,
        "NAN": np.nan,
    }
    # Looked up in the dictionary: asking numpy for a removed name warns.
    missing = {k: v for k, v in names.items() if k not in vars(np)}
    for name, value in missing.items():
        setattr(np, name, value)
    return bool(missing)


@_fix(
    reason=(
        "the ResNet extractors import tensorflow.python.keras.applications, "
        "gone since TensorFlow 2.13"
    ),
    until="the OD API takes it from tf.keras",
)
def _keras_applications() -> bool:
    name = "tensorflow.python.keras.applications"
    if _is_importable(name):
        return False
    sys.modules[name] = importlib.import_module("tf_keras.src.applications")
    return True


@_fix(
    reason=(
        "newer copies of keras_models/resnet_v1.py take ResNet from the "
        "package `keras`, which is Keras 3 since TensorFlow 2.16"
    ),
    until="the OD API runs on Keras 3, or takes ResNet from tf.keras",
)
def _keras_2_resnet() -> bool:
    host: Any = importlib.import_module(
        "object_detection.models.keras_models.resnet_v1"
    )
    resnet = importlib.import_module("tf_keras.src.applications.resnet")
    if host.resnet is resnet:
        return False
    host.resnet = resnet
    return True


class _ModuleOnUse(ModuleType):
    """Stands for a module until one of its attributes is asked for.

    Args:
      name: module name the OD API imports.
      target: module that really holds the attributes.
      mend: what to do where `target` is not installed.

    Asking for an attribute raises ImportError if `target` is not installed.
    """

    def __init__(self, name: str, *, target: str, mend: str) -> None:
        super().__init__(name, f"Stands for {target}.")
        self._target = target
        self._mend = mend

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):  # asked by the import system
            raise AttributeError(attribute)
        try:
            module = importlib.import_module(self._target)
        except ImportError as error:
            raise ImportError(
                f"`{self.__name__}.{attribute}` needs `{self._target}`. "
                f"Received: {error}. Mend: {self._mend}"
            ) from error
        return getattr(module, attribute)


@_fix(
    reason=(
        "the model builder imports the EfficientNet of "
        "official.vision.image_classification, which tf-models-official 2.9 "
        "moved to official.legacy"
    ),
    until="the OD API imports it from official.legacy",
)
def _efficientnet() -> bool:
    package = "official.vision.image_classification.efficientnet"
    if package in sys.modules or _has_folder(package):
        return False
    alias: Any = ModuleType(package)
    alias.efficientnet_model = _ModuleOnUse(
        f"{package}.efficientnet_model",
        target="official.legacy.image_classification.efficientnet"
        ".efficientnet_model",
        mend="pip install tf-models-official, or use another extractor",
    )
    sys.modules[package] = alias
    return True


def _has_folder(package: str) -> bool:
    """Whether a package is there, without importing its parents.

    Importing `official.vision` takes seconds and all of its dependencies.
    """
    top, *rest = package.split(".")
    spec = importlib.util.find_spec(top)
    places = (spec and spec.submodule_search_locations) or ()
    return any(pathlib.Path(place, *rest).is_dir() for place in places)


@_fix(
    reason=(
        "tf_slim, which decodes the TFRecords, calls case, cond and "
        "while_loop of control_flow_ops, moved in TensorFlow 2.13"
    ),
    until="a tf_slim after 1.1.0 calls them elsewhere",
)
def _control_flow_ops() -> bool:
    import tensorflow as tf
    from tensorflow.python.ops import control_flow_ops

    changed = False
    for name in ("case", "cond", "while_loop"):
        if not hasattr(control_flow_ops, name):
            setattr(control_flow_ops, name, getattr(tf.compat.v1, name))
            changed = True
    return changed


@_fix(
    reason=(
        "newer copies of inputs.py and model_lib.py import "
        "tf.compat.v1.estimator, gone since TensorFlow 2.16; the TF2 loop "
        "never calls it"
    ),
    until="the OD API drops its Estimator code",
)
def _estimator() -> bool:
    from tensorflow.compat import v1

    if hasattr(v1, "estimator"):
        return False
    v1.estimator = _ModuleOnUse(
        "tf.compat.v1.estimator",
        target="tensorflow_estimator",
        mend="use the TF2 loop, object_detection_patch.model_main_tf2",
    )
    return True


@_fix(
    reason="drawing labels calls font.getsize, gone in Pillow 10",
    until="the OD API calls getbbox",
)
def _pillow_font_size() -> bool:
    from PIL import ImageFont

    def getsize(font: Any, text: str) -> tuple[int, int]:
        """Width and height from the drawing origin, in pixels."""
        _, _, right, bottom = font.getbbox(text)
        return int(right), int(bottom)

    changed = False
    kinds: list[Any] = [ImageFont.ImageFont, ImageFont.FreeTypeFont]
    for kind in kinds:
        if not hasattr(kind, "getsize"):
            kind.getsize = getsize
            changed = True
    return changed


@_fix(
    reason=(
        "eval_util imports `lvis` for a metric of one data set; the package "
        "is unmaintained and seldom installed"
    ),
    until="the OD API imports it only when the LVIS metric is asked for",
)
def _lvis() -> bool:
    if _is_importable("lvis"):
        return False
    package = ModuleType("lvis")
    package.__path__ = []
    sys.modules["lvis"] = package
    for name, kind in (
        ("lvis", "LVIS"),
        ("eval", "LVISEval"),
        ("results", "LVISResults"),
    ):
        module = ModuleType(f"lvis.{name}")
        setattr(module, kind, _absent_class(kind, "lvis"))
        setattr(package, name, module)
        sys.modules[module.__name__] = module
    return True


def _absent_class(name: str, package: str) -> type:
    """A class that can be named and subclassed, but not made."""

    def refuse(self: object, *args: Any, **kwargs: Any) -> None:
        raise ImportError(
            f"`{name}` needs the package `{package}`, which is not "
            f"installed. Mend: pip install {package}"
        )

    return type(name, (), {"__init__": refuse})


@_fix(
    reason="the data set tools import contextlib2, a copy of contextlib",
    until="the OD API imports contextlib",
)
def _contextlib2() -> bool:
    if _is_importable("contextlib2"):
        return False
    sys.modules["contextlib2"] = contextlib
    return True
