"""An exported model against the Keras model that it should equal."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from object_detection_patch.decathlon.evaluated import measure
from object_detection_patch.export import runtime
from object_detection_patch.export.errors import ExportError
from object_detection_patch.od_api import base_model, evaluation

# In units of the largest raw output: what float arithmetic in another order
# may differ by; beyond it the structure would be mapped wrongly.
_LARGEST_DIFFERENCE = {"float32": 1e-4, "float16": 2e-2}


def checked_difference(
    exported: bytes, model: Any, *, precision: str, extractor: str
) -> float | None:
    """The `raw_difference` of a base; None for int8, which has no bound.

    Raises:
      ExportError: if it is more than rounding.
    """
    largest = _LARGEST_DIFFERENCE.get(precision)
    if largest is None:
        return None
    difference = raw_difference(exported, model)
    # `not (<=)` refuses NaN too.
    if not difference <= largest:
        raise ExportError(
            "Raw outputs of an exported base must be the Keras model's within "
            f"{largest:g} of the largest. Received: {difference:.1e}; please "
            f"report this model ({extractor})."
        )
    return difference


def raw_difference(exported: bytes, model: Any, *, seed: int = 0) -> float:
    """Largest difference of raw outputs on noise, in units of the largest.

    Args:
      exported: bytes of a .tflite file.
      model: the SSDMetaArch that it should equal.
    """
    runner = runtime.Runtime(exported, keep_tensors=True)
    size = (*runner.image_size, 3)
    image = np.random.default_rng(seed).uniform(-1, 1, size)
    image = image.astype(np.float32)
    return max(
        float(np.abs(mine.reshape(-1) - its.reshape(-1)).max())
        / max(1.0, float(np.abs(its).max()))
        for mine, its in zip(
            runner.raw_outputs(image), _keras_outputs(model, image), strict=True
        )
    )


def keras_map(model: Any, records: str, label_map_path: str) -> float:
    """mAP at IoU 0.5 of a Keras model, as COCO defines it."""
    images = list(
        evaluation.detect(model, [records], label_map_path=label_map_path)
    )
    return measure(images, definition="coco").value


def _keras_outputs(
    model: Any, image: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    base_model.set_training(model, False)
    predicted = model.predict(tf.constant(image[None]), None)
    # As the config's `score_converter` says, like the exported model.
    scores = model._score_conversion_fn(  # noqa: SLF001
        predicted["class_predictions_with_background"]
    )
    return predicted["box_encodings"].numpy(), scores.numpy()
