"""Average precision as in COCO, by pycocotools.

A detection takes the best box of its class that is still free.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from object_detection_patch.decathlon.inputs import Detections
from object_detection_patch.decathlon.roles import Truth


def average_precisions(
    detections: Sequence[Detections],
    groundtruth: Sequence[Truth],
    objects: Mapping[int, int],
    iou: float,
    max_detections: int,
) -> dict[int, float]:
    """Class -> average precision in [0, 1], for every class in `objects`.

    Args:
      detections: one entry per image.
      groundtruth: of the same images.
      objects: class -> boxes to be found, at least one.
      iou: least intersection over union of a match.
      max_detections: best-scored ones of a class kept per image.
    Raises:
      ImportError: without pycocotools.
    """
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
            _index(COCO, _truths(groundtruth), groundtruth, objects),
            _index(COCO, _found(detections), groundtruth, objects),
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


def _index(
    coco: Any,
    annotations: Iterator[dict[str, Any]],
    groundtruth: Sequence[Truth],
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


def _truths(groundtruth: Sequence[Truth]) -> Iterator[dict[str, Any]]:
    for image, truth in enumerate(groundtruth):
        for row, class_id in enumerate(truth.classes.tolist()):
            yield {
                **_box(image, class_id, truth.boxes[row]),
                "iscrowd": int(truth.region[row] or truth.ignored[row]),
                "ignored": bool(truth.ignored[row]),
            }


def _found(detections: Sequence[Detections]) -> Iterator[dict[str, Any]]:
    for image, found in enumerate(detections):
        for row, class_id in enumerate(found.classes.tolist()):
            yield {
                **_box(image, class_id, found.boxes[row]),
                "score": float(found.scores[row]),
            }


def _box(image: int, class_id: int, box: np.ndarray) -> dict[str, Any]:
    top, left, bottom, right = box.tolist()
    width, height = right - left, bottom - top
    return {
        "image_id": image,
        "category_id": class_id,
        "bbox": [left, top, width, height],
        "area": width * height,
    }
