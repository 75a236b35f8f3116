"""A restored base -> its model, published but not yet written."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Sequence

import numpy as np

from object_detection_patch.export import runtime, structure
from object_detection_patch.export.activations import any_ranges, calibrated
from object_detection_patch.export.base_options import Options
from object_detection_patch.export.filling import Published, fill
from object_detection_patch.export.progress import Steps
from object_detection_patch.export.restored import Base
from object_detection_patch.export.routing import slot_values
from object_detection_patch.export.structure import Structure
from object_detection_patch.patch_file import LabelMapItem
from object_detection_patch.tflite.sidecar import INT8


@dataclasses.dataclass(frozen=True)
class Made:
    """A base's model, and what it was made from.

    Args:
      structure: that all models of its architecture have.
      converted: for int8, the file that the converter itself makes of the
        base; else None.
    """

    structure: Structure
    published: Published
    converted: bytes | None


def calibration_images(base: Base, options: Options) -> list[np.ndarray]:
    """Images to measure ranges on, float32 (height, width, 3).

    None but for int8.
    """
    if options.precision != INT8:
        return []
    return runtime.inputs(
        base.pipeline,
        [str(options.calibration_records)],
        base.normalisation,
        options.calibration_images,
    )


def make(
    base: Base,
    checkpoint_dir: str,
    images: Sequence[np.ndarray],
    options: Options,
    steps: Steps,
) -> Made:
    """Finds the structure of a base's models and fills it with its numbers.

    Args:
      checkpoint_dir: holds an ordinary checkpoint of the base.
      images: of `calibration_images`.

    Raises:
      TensorMapError, StructureError: if the converter's graph cannot be
        mapped; the message names what.
    """
    found = structure.find(
        base.pipeline,
        precision=options.precision,
        capacity=options.max_classes,
        max_detections=options.max_detections,
        regular_nms=options.regular_nms,
        steps=steps,
        policy=options.policy,
    )
    is_int8 = options.precision == INT8
    steps.begin("measuring activations" if is_int8 else "filling")
    published = _filled(base, found, any_ranges(found.sidecar))
    if not is_int8:
        return Made(found, published, None)
    with tempfile.TemporaryDirectory() as work_dir:
        measured = calibrated(
            base.pipeline,
            checkpoint_dir,
            work_dir,
            images,
            published=published.model,
        )
    return Made(found, _filled(base, found, measured.ranges), measured.model)


def _filled(
    base: Base, found: Structure, activations: Sequence[tuple[float, int]]
) -> Published:
    tensors, epsilons = base.tensors(), base.epsilons()
    slots, slot_epsilons = slot_values(found.sidecar, tensors, epsilons)
    return fill(
        found,
        tensors=tensors | slots,
        epsilons=epsilons | slot_epsilons,
        label_map=[LabelMapItem(*item) for item in base.items],
        metadata=base.metadata(),
        activations=activations,
    )
