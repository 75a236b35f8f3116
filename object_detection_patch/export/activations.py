"""Ranges of activations of an int8 model, measured by the converter."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from object_detection_patch.export.graph import Graph
from object_detection_patch.export.same_graph import check_same_graph
from object_detection_patch.od_api import export_tflite
from object_detection_patch.tflite.sidecar import Sidecar


@dataclasses.dataclass(frozen=True)
class Calibrated:
    """A model that the converter has quantised after training.

    Args:
      model: bytes of its .tflite file.
      ranges: scale and zero point of every activation, in the published
        order.
    """

    model: bytes
    ranges: tuple[tuple[float, int], ...]


def any_ranges(sidecar: Sidecar) -> tuple[tuple[float, int], ...]:
    """A valid range for every activation, where none is measured yet."""
    return ((1.0, 0),) * len(sidecar.activations)


def calibrated(
    pipeline: Any,
    checkpoint_dir: str,
    work_dir: str,
    inputs: Sequence[np.ndarray],
    *,
    published: bytes,
) -> Calibrated:
    """Quantises a model by the converter, for the ranges that it measures.

    Post-processing reads no quantised tensor, so here it is the exporter's
    default, whatever the base's is.

    Args:
      checkpoint_dir: an ordinary OD API checkpoint that `pipeline` describes.
      inputs: images as the model takes them, float32 (height, width, 3).
      published: the model in the published layout, its ranges yet to come.

    Raises:
      StructureError: if the converter built another graph for this model.
    """
    saved_model = export_tflite.export_saved_model(
        pipeline, checkpoint_dir, work_dir
    )
    model = export_tflite.convert(
        saved_model, "int8", lambda: (image[None] for image in inputs)
    )
    graph = Graph(model)
    check_same_graph(graph, Graph(published))
    return Calibrated(model, graph.ranges())
