"""What mAP compares: what was found in an image, and what is there."""

from __future__ import annotations

import dataclasses

import numpy as np

from object_detection_patch.decathlon.boxes import areas
from object_detection_patch.decathlon.checks import (
    check_finite,
    checked_boxes,
    checked_classes,
    checked_column,
    checked_flag,
)

DIFFICULT = "difficult"
IS_CROWD = "is_crowd"
GROUP_OF = "group_of"
FLAGS = (DIFFICULT, IS_CROWD, GROUP_OF)


@dataclasses.dataclass(frozen=True, eq=False)
class Detections:
    """What a detector found in one image.

    Args:
      boxes: [N, 4] as ymin, xmin, ymax, xmax; pixels or fractions, as long as
        the groundtruth uses the same. A box without area is left out of the
        evaluation (as by the OD API; its padding rows are such boxes).
      scores: [N], finite; order among equal scores is the order given.
      classes: [N], integers >= 1 (0 is background).
    Raises: ValueError for shapes that disagree, values that are not finite,
      a box of negative size, a class below 1.
    """

    boxes: np.ndarray
    scores: np.ndarray
    classes: np.ndarray

    def __post_init__(self) -> None:
        boxes = checked_boxes("Detections.boxes", self.boxes)
        scores = checked_column("Detections.scores", self.scores, len(boxes))
        check_finite("Detections.scores", scores)
        classes = checked_classes(
            "Detections.classes", self.classes, len(boxes)
        )
        has_area = areas(boxes) > 0
        object.__setattr__(self, "boxes", boxes[has_area])
        object.__setattr__(self, "scores", scores[has_area])
        object.__setattr__(self, "classes", classes[has_area])


@dataclasses.dataclass(frozen=True, eq=False)
class GroundTruth:
    """What is in one image.

    Args:
      boxes: [M, 4] as ymin, xmin, ymax, xmax, all with positive area.
      classes: [M], integers >= 1.
      difficult, is_crowd, group_of: [M] of 0 and 1 or bool; None is all 0.
    Raises: ValueError as `Detections`, and for a box without area (usually
      padding that was not removed), or a flag other than 0 and 1.
    """

    boxes: np.ndarray
    classes: np.ndarray
    difficult: np.ndarray | None = None
    is_crowd: np.ndarray | None = None
    group_of: np.ndarray | None = None

    def __post_init__(self) -> None:
        boxes = checked_boxes("GroundTruth.boxes", self.boxes)
        empty = np.flatnonzero(areas(boxes) <= 0)
        if empty.size:
            raise ValueError(
                "`GroundTruth.boxes` must have positive area (remove padding "
                f"rows). Received: row {empty[0]} is {boxes[empty[0]].tolist()}"
            )
        count = len(boxes)
        classes = checked_classes("GroundTruth.classes", self.classes, count)
        object.__setattr__(self, "boxes", boxes)
        object.__setattr__(self, "classes", classes)
        for flag in FLAGS:
            object.__setattr__(
                self, flag, checked_flag(flag, getattr(self, flag), count)
            )
