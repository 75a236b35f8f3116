"""What a flagged box means to the count of hits and misses."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection

import numpy as np

from object_detection_patch.decathlon.inputs import (
    DIFFICULT,
    GROUP_OF,
    IS_CROWD,
    GroundTruth,
)


@dataclasses.dataclass(frozen=True, eq=False)
class Truth:
    """Groundtruth of one image with its flags resolved to two roles."""

    boxes: np.ndarray
    classes: np.ndarray
    ignored: np.ndarray  # matched by IoU, counts neither way
    region: np.ndarray  # matched by share of the detection's area


def sort_out(truth: GroundTruth, honour: Collection[str]) -> Truth:
    """Roles from the flags that `honour` names; others are as if 0."""

    def honoured(flag: str) -> np.ndarray:
        values: np.ndarray = getattr(truth, flag)
        return values if flag in honour else np.zeros_like(values)

    region = honoured(IS_CROWD) | honoured(GROUP_OF)
    ignored = honoured(DIFFICULT) & ~region
    return Truth(truth.boxes, truth.classes, ignored, region)
