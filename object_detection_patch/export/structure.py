"""Finds the structure that all models of one architecture have as TFLite."""

from __future__ import annotations

from typing import Any

from object_detection_patch.export.probe import Probe
from object_detection_patch.export.progress import Steps
from object_detection_patch.export.publishing import (
    PROBE_CLASSES,
    Structure,
    find_structure,
)


def find(
    pipeline: Any,
    *,
    precision: str,
    capacity: int,
    max_detections: int,
    steps: Steps,
) -> Structure:
    """Converts two probes of an architecture and maps their constants.

    Raises:
      TensorMapError, StructureError: if the converter's graph cannot be
        mapped; the message names what.
    """
    probes = []
    for seed, classes in enumerate(PROBE_CLASSES):
        steps.begin(
            f"converting a model of random weights ({seed + 1} of "
            f"{len(PROBE_CLASSES)}), to find what lies where"
        )
        probes.append(
            Probe(
                pipeline,
                classes=classes,
                precision=precision,
                max_detections=max_detections,
                seed=seed,
            )
        )
    steps.begin("mapping constants")
    return find_structure(*probes, precision=precision, capacity=capacity)
