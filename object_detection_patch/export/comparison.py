"""An exported model against the Keras model that it should equal."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
import tensorflow as tf

from object_detection_patch.export import runtime
from object_detection_patch.export.errors import ExportError
from object_detection_patch.od_api import base_model

# Box encodings and class scores of an image, flat.
Outputs: TypeAlias = tuple[np.ndarray, np.ndarray]

# In units of the largest raw output: what float arithmetic in another order
# may differ by; beyond it the structure would be mapped wrongly.
_LARGEST_DIFFERENCE = {"float32": 1e-4, "float16": 2e-2}
# How much an int8 model differs depends on the base: the demo's trained
# detector by 4 % of its outputs, one of random weights by 11 %. The
# converter's own model differs as much, to 2 %. Any two kernels of the demo's
# detector taken for each other make it 1.3 to 70 times as much.
_LARGEST_RATIO = 1.25
# Of float arithmetic; keeps a ratio from being one of two zeros.
_LEAST_SPREAD = 1e-6


@dataclasses.dataclass(frozen=True)
class Difference:
    """How far the raw outputs are from the Keras model's.

    Args:
      largest: difference, in units of the largest output.
      ratio: for int8, root mean square of the differences, in units of that
        of the converter's own model; the greater one of boxes and scores.
    """

    largest: float
    ratio: float | None


def checked_difference(
    exported: bytes,
    model: Any,
    *,
    precision: str,
    extractor: str,
    images: Sequence[np.ndarray] = (),
    converted: bytes | None = None,
) -> Difference:
    """The difference of a base from the Keras model.

    Args:
      exported: bytes of base.tflite.
      model: the SSDMetaArch that it should equal.
      extractor: name of the feature extractor, for the message.
      images: for int8, some that it was calibrated on, as the model takes
        them, float32 (height, width, 3); without any, one of noise.
      converted: for int8, what the converter makes of `model`.

    Raises:
      ExportError: if it is more than rounding.
    """
    images = images or [noise(exported)]
    wanted = list(_keras_outputs(model, images))
    found = _exported_outputs(exported, images)
    largest = _largest(found, wanted)
    if converted is None:
        bound = _LARGEST_DIFFERENCE[precision]
        what = f"within {bound:g} of the largest"
        _check(largest, bound, f"{what} ({precision})", extractor)
        return Difference(largest, None)
    others = _exported_outputs(converted, images)
    theirs = np.maximum(_spread(others, wanted), _LEAST_SPREAD)
    ratio = float((_spread(found, wanted) / theirs).max())
    what = (
        f"within {_LARGEST_RATIO:g} times what the converter's own int8 model "
        "differs by"
    )
    _check(ratio, _LARGEST_RATIO, what, extractor)
    return Difference(largest, ratio)


def raw_difference(exported: bytes, model: Any) -> float:
    """Largest difference on noise, in units of the largest raw output."""
    images = [noise(exported)]
    return _largest(
        _exported_outputs(exported, images), _keras_outputs(model, images)
    )


def noise(exported: bytes) -> np.ndarray:
    """An image for a model, float32 (height, width, 3) from -1 to 1."""
    size = runtime.Runtime(exported).image_size
    image = np.random.default_rng(0).uniform(-1, 1, (*size, 3))
    return image.astype(np.float32)


def _check(found: float, bound: float, what: str, extractor: str) -> None:
    # `not (<=)` refuses NaN too.
    if not found <= bound:
        raise ExportError(
            f"Raw outputs of an exported base must be the Keras model's {what}"
            f". Received: {found:.1e}; please report this model ({extractor})."
        )


def _largest(found: Iterable[Outputs], wanted: Iterable[Outputs]) -> float:
    return max(
        float(np.abs(mine - its).max()) / max(1.0, float(np.abs(its).max()))
        for both in zip(found, wanted, strict=True)
        for mine, its in zip(*both, strict=True)
    )


def _spread(found: Sequence[Outputs], wanted: Sequence[Outputs]) -> np.ndarray:
    """Root mean square of the differences of boxes and of scores."""
    squares = [
        [
            float(np.square(mine - its).mean())
            for mine, its in zip(*both, strict=True)
        ]
        for both in zip(found, wanted, strict=True)
    ]
    return np.sqrt(np.mean(squares, axis=0))


def _exported_outputs(
    exported: bytes, images: Sequence[np.ndarray]
) -> list[Outputs]:
    runner = runtime.Runtime(exported, keep_tensors=True)
    return [_flat(*runner.raw_outputs(image)) for image in images]


def _keras_outputs(
    model: Any, images: Sequence[np.ndarray]
) -> Iterable[Outputs]:
    base_model.set_training(model, False)
    for image in images:
        predicted = model.predict(tf.constant(image[None]), None)
        # As the config's `score_converter` says, like the exported model.
        scores = model._score_conversion_fn(  # noqa: SLF001
            predicted["class_predictions_with_background"]
        )
        yield _flat(predicted["box_encodings"].numpy(), scores.numpy())


def _flat(boxes: np.ndarray, scores: np.ndarray) -> Outputs:
    return boxes.reshape(-1), scores.reshape(-1)
