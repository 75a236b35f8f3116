"""mAP of a base on its way: as it came, as published, as exported."""

from __future__ import annotations

import dataclasses

import numpy as np

from object_detection_patch.decathlon.evaluated import measure
from object_detection_patch.export import runtime
from object_detection_patch.export.restored import Base
from object_detection_patch.od_api import evaluation


class Stages:
    """Measures what it is told to; nothing without evaluation records.

    Args:
      records: TFRecord pattern, or None.
      max_detections: the best of an image that count, in every stage, because
        the exported model returns no more.

    Attributes:
      accuracy: stage -> mAP@0.5, as COCO defines it.
    """

    def __init__(
        self, base: Base, records: str | None, max_detections: int
    ) -> None:
        self._base = base
        self._records = records
        self._max_detections = max_detections
        self.accuracy: dict[str, float] = {}

    def measure_keras(self, stage: str) -> None:
        """The Keras model with its present values, on the config's NMS."""
        if self._records:
            found = evaluation.detect(
                self._base.model,
                [self._records],
                label_map_path=self._base.map_path,
            )
            images = [
                best_detections(image, self._max_detections) for image in found
            ]
            self.accuracy[stage] = measure(images, definition="coco").value

    def measure_exported(self, stage: str, model: bytes) -> None:
        """A .tflite file in LiteRT."""
        if self._records:
            self.accuracy[stage] = runtime.mean_average_precision(
                model,
                self._base.pipeline,
                [self._records],
                self._base.map_path,
            )


def best_detections(
    image: evaluation.EvaluatedImage, number: int
) -> evaluation.EvaluatedImage:
    """The image with no more than so many detections, those scored best."""
    best = np.argsort(-image.scores, kind="stable")[:number]
    return dataclasses.replace(
        image,
        boxes=image.boxes[best],
        scores=image.scores[best],
        classes=image.classes[best],
    )
