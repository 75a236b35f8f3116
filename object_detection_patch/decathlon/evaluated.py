"""mAP of images that the OD API's reader and a model have gone over."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

import numpy as np

from object_detection_patch.decathlon import mean_ap


class Evaluated(Protocol):
    """What `od_api.evaluation.EvaluatedImage` has and is asked for here."""

    boxes: np.ndarray
    scores: np.ndarray
    classes: np.ndarray
    true_boxes: np.ndarray
    true_classes: np.ndarray
    difficult: np.ndarray
    is_crowd: np.ndarray
    group_of: np.ndarray


def measure(
    images: Sequence[Evaluated],
    *,
    definition: mean_ap.Definition,
    honour: Collection[str] = mean_ap.FLAGS,
) -> mean_ap.MeanAveragePrecision:
    """mAP at IoU 0.5 of evaluated images; `honour` as in `mean_ap`."""
    return mean_ap.mean_average_precision(
        [
            mean_ap.Detections(image.boxes, image.scores, image.classes)
            for image in images
        ],
        [
            mean_ap.GroundTruth(
                image.true_boxes,
                image.true_classes,
                difficult=image.difficult,
                is_crowd=image.is_crowd,
                group_of=image.group_of,
            )
            for image in images
        ],
        definition=definition,
        honour=honour,
    )
