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

import contextlib
import dataclasses
import io
import math
from collections.abc import (
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from typing import Any, Literal, get_args

import numpy as np

Definition = Literal["coco", "pascal", "pascal07"]

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
        boxes = _boxes("Detections.boxes", self.boxes)
        scores = _column("Detections.scores", self.scores, len(boxes))
        _check_finite("Detections.scores", scores)
        classes = _classes("Detections.classes", self.classes, len(boxes))
        has_area = _areas(boxes) > 0
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
        boxes = _boxes("GroundTruth.boxes", self.boxes)
        empty = np.flatnonzero(_areas(boxes) <= 0)
        if empty.size:
            raise ValueError(
                "`GroundTruth.boxes` must have positive area (remove padding "
                f"rows). Received: row {empty[0]} is {boxes[empty[0]].tolist()}"
            )
        count = len(boxes)
        classes = _classes("GroundTruth.classes", self.classes, count)
        object.__setattr__(self, "boxes", boxes)
        object.__setattr__(self, "classes", classes)
        for flag in FLAGS:
            object.__setattr__(
                self, flag, _flag(flag, getattr(self, flag), count)
            )


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
    sorted_out = [_sort_out(truth, honour) for truth in groundtruth]
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
        per_class = _coco(detections, sorted_out, objects, iou, max_detections)
    else:
        per_class = _pascal(
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


@dataclasses.dataclass(frozen=True, eq=False)
class _Truth:
    """Groundtruth of one image with its flags resolved to two roles."""

    boxes: np.ndarray
    classes: np.ndarray
    ignored: np.ndarray  # matched by IoU, counts neither way
    region: np.ndarray  # matched by share of the detection's area


def _sort_out(truth: GroundTruth, honour: Collection[str]) -> _Truth:
    def honoured(flag: str) -> np.ndarray:
        values: np.ndarray = getattr(truth, flag)
        return values if flag in honour else np.zeros_like(values)

    region = honoured(IS_CROWD) | honoured(GROUP_OF)
    ignored = honoured(DIFFICULT) & ~region
    return _Truth(truth.boxes, truth.classes, ignored, region)


def _count(classes_per_image: Iterable[np.ndarray]) -> dict[int, int]:
    found = np.concatenate([np.zeros(0, np.int64), *classes_per_image])
    classes, counts = np.unique(found, return_counts=True)
    return {int(c): int(n) for c, n in zip(classes, counts, strict=True)}


# --- Pascal -----------------------------------------------------------------


def _pascal(
    detections: Sequence[Detections],
    groundtruth: Sequence[_Truth],
    objects: Mapping[int, int],
    iou: float,
    eleven_points: bool,
) -> dict[int, float]:
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
    found: Detections, truth: _Truth, class_id: int, iou: float
) -> tuple[np.ndarray, np.ndarray]:
    """Scores and hits of the detections that count, one class, one image."""
    mine = found.classes == class_id
    order = np.argsort(-found.scores[mine], kind="stable")
    boxes, scores = found.boxes[mine][order], found.scores[mine][order]
    ours = truth.classes == class_id
    single = ours & ~truth.region
    ignored = truth.ignored[single]
    overlaps = _intersections(boxes, truth.boxes[single])
    overlaps /= (
        _areas(boxes)[:, None] + _areas(truth.boxes[single])[None] - overlaps
    )
    shares = _intersections(boxes, truth.boxes[ours & truth.region])
    in_region = np.any(shares >= iou * _areas(boxes)[:, None], axis=1)
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


# --- COCO -------------------------------------------------------------------


def _coco(
    detections: Sequence[Detections],
    groundtruth: Sequence[_Truth],
    objects: Mapping[int, int],
    iou: float,
    max_detections: int,
) -> dict[int, float]:
    try:
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval
    except ImportError as error:
        raise ImportError(
            "The `coco` definition of mAP needs pycocotools: "
            "pip install 'object_detection_patch[train]'"
        ) from error

    class Evaluation(COCOeval):
        """COCO's evaluation, with ignored boxes beside ignore regions.

        COCO knows crowds alone: ignored, matched any number of times, by
        share of the detection's area. Difficult boxes enter as crowds too,
        and only their overlap is measured as for ordinary ones.
        """

        def computeIoU(self, image: int, class_id: int) -> Any:
            truth = self._gts[image, class_id]
            for box in truth:
                box["iscrowd"] = int(not box["ignored"] and box["iscrowd"])
            overlaps = super().computeIoU(image, class_id)
            for box in truth:
                box["iscrowd"] = int(box["ignored"] or box["iscrowd"])
            return overlaps

    # pycocotools reports its progress on standard output.
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = Evaluation(
            _coco_index(COCO, _coco_truths(groundtruth), groundtruth, objects),
            _coco_index(COCO, _coco_found(detections), groundtruth, objects),
            "bbox",
        )
        parameters = evaluation.params
        parameters.iouThrs = np.array([iou])
        parameters.maxDets = [max_detections]
        parameters.areaRng, parameters.areaRngLbl = [[0, np.inf]], ["all"]
        evaluation.evaluate()
        evaluation.accumulate()
    # precision: [IoU, recall, class, area, detections], classes sorted.
    precision = evaluation.eval["precision"][0, :, :, 0, 0]
    return {
        class_id: float(precision[:, k].mean())
        for k, class_id in enumerate(sorted(objects))
    }


def _coco_index(
    coco: Any,
    annotations: Iterator[dict[str, Any]],
    groundtruth: Sequence[_Truth],
    objects: Mapping[int, int],
) -> Any:
    index = coco()
    index.dataset = {
        "images": [{"id": i} for i in range(len(groundtruth))],
        "categories": [{"id": class_id} for class_id in objects],
        # Ids start at 1: COCOeval takes a match with id 0 for no match.
        "annotations": [
            {"id": i, **annotation}
            for i, annotation in enumerate(annotations, start=1)
            if annotation["category_id"] in objects
        ],
    }
    index.createIndex()
    return index


def _coco_truths(groundtruth: Sequence[_Truth]) -> Iterator[dict[str, Any]]:
    for image, truth in enumerate(groundtruth):
        for row, class_id in enumerate(truth.classes.tolist()):
            yield {
                **_coco_box(image, class_id, truth.boxes[row]),
                "iscrowd": int(truth.region[row] or truth.ignored[row]),
                "ignored": bool(truth.ignored[row]),
            }


def _coco_found(detections: Sequence[Detections]) -> Iterator[dict[str, Any]]:
    for image, found in enumerate(detections):
        for row, class_id in enumerate(found.classes.tolist()):
            yield {
                **_coco_box(image, class_id, found.boxes[row]),
                "score": float(found.scores[row]),
            }


def _coco_box(image: int, class_id: int, box: np.ndarray) -> dict[str, Any]:
    top, left, bottom, right = box.tolist()
    width, height = right - left, bottom - top
    return {
        "image_id": image,
        "category_id": class_id,
        "bbox": [left, top, width, height],
        "area": width * height,
    }


# --- boxes and checks -------------------------------------------------------


def _areas(boxes: np.ndarray) -> np.ndarray:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def _intersections(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Areas common to each pair, [len(one), len(other)]."""
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    return np.prod(np.maximum(high - low, 0.0), axis=-1)


def _boxes(name: str, values: Any) -> np.ndarray:
    boxes = np.asarray(values, np.float64)
    if boxes.size == 0 and boxes.ndim <= 2:
        boxes = boxes.reshape(0, 4)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ValueError(
            f"`{name}` must have shape [N, 4] (ymin, xmin, ymax, xmax). "
            f"Received: shape {list(boxes.shape)}"
        )
    _check_finite(name, boxes)
    negative = np.flatnonzero(np.any(boxes[:, 2:] < boxes[:, :2], axis=1))
    if negative.size:
        raise ValueError(
            f"`{name}` must have ymax >= ymin and xmax >= xmin. Received: "
            f"row {negative[0]} is {boxes[negative[0]].tolist()}"
        )
    return boxes


def _column(name: str, values: Any, length: int) -> np.ndarray:
    column = np.asarray(values, np.float64)
    if column.shape != (length,):
        raise ValueError(
            f"`{name}` must have one value per box, shape [{length}]. "
            f"Received: shape {list(column.shape)}"
        )
    return column


def _classes(name: str, values: Any, length: int) -> np.ndarray:
    column = _column(name, values, length)
    _check_finite(name, column)
    broken = column[column != np.floor(column)]
    if broken.size:
        raise ValueError(f"`{name}` must be integers. Received: {broken[0]}")
    if column.size and column.min() < 1:
        raise ValueError(
            f"`{name}` must be >= 1 (0 is background; add the label map's "
            f"offset). Received: {column.min():.0f}"
        )
    return column.astype(np.int64)


def _flag(name: str, values: Any, length: int) -> np.ndarray:
    if values is None:
        return np.zeros(length, bool)
    column = _column(f"GroundTruth.{name}", values, length)
    if not np.all((column == 0) | (column == 1)):
        raise ValueError(
            f"`GroundTruth.{name}` must be 0 or 1 (Open Images' -1, unknown, "
            f"is 0). Received: {sorted(set(column.tolist()))}"
        )
    return column.astype(bool)


def _check_finite(name: str, values: np.ndarray) -> None:
    finite = np.isfinite(values)
    if not finite.all():
        where = np.argwhere(~finite)[0].tolist()
        raise ValueError(
            f"`{name}` must be finite. Received: {values[tuple(where)]} at "
            f"{where}"
        )


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
