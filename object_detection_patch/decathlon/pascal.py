"""Average precision as in Pascal VOC: 2010 and later, and 2007.

A detection looks only at the box of its class that it overlaps most.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from object_detection_patch.decathlon.boxes import areas, intersections
from object_detection_patch.decathlon.inputs import Detections
from object_detection_patch.decathlon.roles import Truth


def average_precisions(
    detections: Sequence[Detections],
    groundtruth: Sequence[Truth],
    objects: Mapping[int, int],
    iou: float,
    eleven_points: bool,
) -> dict[int, float]:
    """Class -> average precision in [0, 1], for every class in `objects`.

    Args:
      detections: one entry per image.
      groundtruth: of the same images.
      objects: class -> boxes to be found, at least one.
      iou: least intersection over union of a match.
      eleven_points: the rule of VOC 2007, not the area under the curve.
    """
    scores: dict[int, list[np.ndarray]] = {c: [] for c in objects}
    hits: dict[int, list[np.ndarray]] = {c: [] for c in objects}
    for found, truth in zip(detections, groundtruth, strict=True):
        for class_id in np.unique(found.classes).tolist():
            if class_id not in objects:
                continue
            image_scores, image_hits = _match_by_best_overlap(
                found, truth, class_id, iou
            )
            scores[class_id].append(image_scores)
            hits[class_id].append(image_hits)
    area = _eleven_point_area if eleven_points else _curve_area
    return {
        c: _average_precision(scores[c], hits[c], objects[c], area)
        for c in objects
    }


def _match_by_best_overlap(
    found: Detections, truth: Truth, class_id: int, iou: float
) -> tuple[np.ndarray, np.ndarray]:
    """Scores and hits of the detections that count, one class, one image."""
    mine = found.classes == class_id
    order = np.argsort(-found.scores[mine], kind="stable")
    boxes, scores = found.boxes[mine][order], found.scores[mine][order]
    ours = truth.classes == class_id
    single = ours & ~truth.region
    ignored = truth.ignored[single]
    overlaps = intersections(boxes, truth.boxes[single])
    overlaps /= (
        areas(boxes)[:, None] + areas(truth.boxes[single])[None] - overlaps
    )
    shares = intersections(boxes, truth.boxes[ours & truth.region])
    in_region = np.any(shares >= iou * areas(boxes)[:, None], axis=1)
    hits = np.zeros(len(boxes), bool)
    counts = np.ones(len(boxes), bool)
    taken = np.zeros(overlaps.shape[1], bool)
    for i, row in enumerate(overlaps):
        best = int(row.argmax()) if row.size else -1
        if best >= 0 and row[best] >= iou:
            if ignored[best]:
                counts[i] = False
                continue
            hits[i] = not taken[best]
            taken[best] = True
        counts[i] = hits[i] or not in_region[i]
    return scores[counts], hits[counts]


def _average_precision(
    scores: list[np.ndarray],
    hits: list[np.ndarray],
    objects: int,
    area: Callable[[np.ndarray, np.ndarray], float],
) -> float:
    if not scores:
        return 0.0
    order = np.argsort(-np.concatenate(scores), kind="stable")
    hit = np.concatenate(hits)[order]
    true_positives = np.cumsum(hit)
    recall = true_positives / objects
    precision = true_positives / np.arange(1, len(hit) + 1)
    # The best precision at this recall or a higher one.
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return area(recall, envelope)


def _curve_area(recall: np.ndarray, envelope: np.ndarray) -> float:
    return float(np.sum(np.diff(recall, prepend=0.0) * envelope))


def _eleven_point_area(recall: np.ndarray, envelope: np.ndarray) -> float:
    """Mean precision at recalls 0, 0.1, ... 1; zero where not reached."""
    # Quotients, because 0.1 * 3 exceeds 3 / 10 and would miss that recall.
    first = np.searchsorted(recall, np.arange(11) / 10)
    reached = first < len(recall)
    return float(np.sum(envelope[first[reached]]) / 11)
