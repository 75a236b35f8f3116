"""Ranges of activations of an int8 model, measured by the converter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from object_detection_patch.export.class_numbers import StructureError
from object_detection_patch.export.graph import Graph
from object_detection_patch.od_api import export_tflite


def calibrated(
    pipeline: Any,
    checkpoint_dir: str,
    work_dir: str,
    inputs: Sequence[np.ndarray],
    *,
    codes: Sequence[int],
    max_detections: int,
) -> list[tuple[float, int]]:
    """Scale and zero point of every activation, in the published order.

    The model is quantised by the TFLite converter after training; of the
    result only these numbers are kept.

    Args:
      checkpoint_dir: an ordinary OD API checkpoint that `pipeline` describes.
      inputs: images as the model takes them, float32 (height, width, 3).
      codes: operators of the published graph, in order.

    Raises:
      StructureError: if the converter built another graph for this model.
    """
    saved_model = export_tflite.export_saved_model(
        pipeline, checkpoint_dir, work_dir, max_detections=max_detections
    )
    graph = Graph(
        export_tflite.convert(
            saved_model, "int8", lambda: (image[None] for image in inputs)
        )
    )
    found = graph.codes()
    if found != list(codes):
        raise StructureError(
            "The converter must build one graph for every model of a base. "
            f"Received: {len(found)} operations for these weights, "
            f"{len(codes)} in the published base, or others."
        )
    return [graph.quantisation(index) for index in graph.activations()]
