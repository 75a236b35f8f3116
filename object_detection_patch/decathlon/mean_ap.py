"""Mean average precision of a detector, by two definitions kept apart.

`coco` runs pycocotools: a detection takes the best box that is still free,
and precision is read at 101 recalls. `pascal` is the area under the whole
precision-recall curve (VOC 2010 and later), in which a detection looks only
at the box it overlaps most; `pascal07` is the same with the 11 recalls of
VOC 2007. The numbers differ by some points and must not be mixed.

Flagged boxes, in every definition (source: the OD API's Pascal and
Open Images V2 evaluators, and COCO's crowds):
  difficult           a detection that matches it (IoU) counts neither way;
                      missing it costs nothing.
  is_crowd, group_of  an ignore region: a detection that found no ordinary
                      box and has at least the share `iou` of its own area
                      inside counts neither way. A box carrying one of these
                      flags and `difficult` is a region.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal, get_args

import numpy as np

from object_detection_patch.decathlon import coco, pascal
from object_detection_patch.decathlon.inputs import (
    DIFFICULT,
    FLAGS,
    GROUP_OF,
    IS_CROWD,
    Detections,
    GroundTruth,
)
from object_detection_patch.decathlon.roles import sort_out

__all__ = [
    "DIFFICULT",
    "FLAGS",
    "GROUP_OF",
    "IS_CROWD",
    "Definition",
    "Detections",
    "GroundTruth",
    "MeanAveragePrecision",
    "mean_average_precision",
]

Definition = Literal["coco", "pascal", "pascal07"]


@dataclasses.dataclass(frozen=True)
class MeanAveragePrecision:
    """A detector's mAP and what it was computed from.

    Args:
      value: mean of `per_class`, in [0, 1].
      per_class: class -> average precision; only classes with an object to
        be found.
      objects: class -> boxes to be found, flagged ones not counted.
      detections: class -> detections, ignored ones included; classes with
        detections but no object are here and not in `per_class`.
      images: number of images.
    """

    value: float
    per_class: Mapping[int, float]
    objects: Mapping[int, int]
    detections: Mapping[int, int]
    images: int
    definition: Definition
    iou: float


def mean_average_precision(
    detections: Sequence[Detections],
    groundtruth: Sequence[GroundTruth],
    *,
    iou: float = 0.5,
    definition: Definition = "coco",
    honour: Collection[str] = FLAGS,
    max_detections: int = 100,
) -> MeanAveragePrecision:
    """Mean over classes of the average precision at one IoU.

    Args:
      detections: one entry per image.
      groundtruth: of the same images, in the same order.
      iou: least intersection over union of a match, in (0, 1].
      definition: see the module.
      honour: flags to respect; boxes with other flags are ordinary objects.
        The OD API's train-and-evaluate path loses `difficult`: leave it out
        to compare with numbers made there.
      max_detections: best-scored detections of each class kept per image;
        `coco` only, 100 being COCO's rule.
    Raises:
      ValueError: lengths that differ, an argument outside its set, or no
        object to be found in any image.
      ImportError: `coco` without pycocotools.
    """
    _check_arguments(
        detections, groundtruth, iou, definition, honour, max_detections
    )
    sorted_out = [sort_out(truth, honour) for truth in groundtruth]
    objects = _count(
        truth.classes[~(truth.region | truth.ignored)] for truth in sorted_out
    )
    if not objects:
        raise ValueError(
            "mAP needs at least one object to be found; every groundtruth "
            f"box is flagged, or there is none. Received: "
            f"{sum(len(truth.boxes) for truth in groundtruth)} boxes in "
            f"{len(groundtruth)} images"
        )
    if definition == "coco":
        per_class = coco.average_precisions(
            detections, sorted_out, objects, iou, max_detections
        )
    else:
        per_class = pascal.average_precisions(
            detections, sorted_out, objects, iou, definition == "pascal07"
        )
    return MeanAveragePrecision(
        value=math.fsum(per_class.values()) / len(per_class),
        per_class=per_class,
        objects=objects,
        detections=_count(found.classes for found in detections),
        images=len(groundtruth),
        definition=definition,
        iou=iou,
    )


def _count(classes_per_image: Iterable[np.ndarray]) -> dict[int, int]:
    found = np.concatenate([np.zeros(0, np.int64), *classes_per_image])
    classes, counts = np.unique(found, return_counts=True)
    return {int(c): int(n) for c, n in zip(classes, counts, strict=True)}


def _check_arguments(
    detections: Sequence[Detections],
    groundtruth: Sequence[GroundTruth],
    iou: float,
    definition: str,
    honour: Collection[str],
    max_detections: int,
) -> None:
    if len(detections) != len(groundtruth):
        raise ValueError(
            "`detections` and `groundtruth` must describe the same images. "
            f"Received: {len(detections)} and {len(groundtruth)}"
        )
    if not 0.0 < iou <= 1.0:
        raise ValueError(f"`iou` must lie in (0, 1]. Received: {iou}")
    if definition not in get_args(Definition):
        raise ValueError(
            f"`definition` must be one of {', '.join(get_args(Definition))}. "
            f"Received: {definition!r}"
        )
    unknown = sorted(set(honour) - set(FLAGS))
    if unknown:
        raise ValueError(
            f"`honour` must name flags out of {', '.join(FLAGS)}. "
            f"Received: {unknown}"
        )
    if max_detections < 1:
        raise ValueError(
            f"`max_detections` must be at least 1. Received: {max_detections}"
        )
