"""mAP of a task's model, by both definitions, and pictures of it."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from object_detection_patch.decathlon import evaluated
from object_detection_patch.decathlon.running.folder import Folder
from object_detection_patch.decathlon.running.record import Accuracy
from object_detection_patch.decathlon.suite.suite import SuiteTask
from object_detection_patch.demo import drawn
from object_detection_patch.export import runtime
from object_detection_patch.od_api import evaluation, label_map

_NO_PIXELS = np.zeros((0, 0, 3), np.uint8)


def in_keras(
    folder: Folder,
    task: SuiteTask,
    model: Any,
    picture: pathlib.Path | None = None,
) -> Accuracy:
    """Evaluates a built SSD.

    Args:
      picture: where a few images are kept with what it found, if anywhere.
    """
    images = _light(
        evaluation.detect(
            model,
            [folder.path(task.eval_records)],
            label_map_path=folder.path(task.label_map),
        )
    )
    if picture is not None:
        labels = folder.path(task.label_map)
        keep_drawn(labels, images[: drawn.IMAGES], picture)
    return _accuracy(task, images)


def in_litert(
    folder: Folder, task: SuiteTask, model: bytes, pipeline: Any
) -> Accuracy:
    """Evaluates a .tflite file in the phone's runtime.

    Args:
      pipeline: of the Keras model, for its resizer.
    """
    images = _light(
        runtime.evaluated(
            model,
            pipeline,
            [folder.path(task.eval_records)],
            folder.path(task.label_map),
        )
    )
    return _accuracy(task, images)


def draw_foreign(
    folder: Folder,
    task: SuiteTask,
    model: Any,
    label_map_path: str,
    picture: pathlib.Path,
) -> None:
    """What a model of other classes finds in a task's images.

    Args:
      label_map_path: of the model's classes.
    """
    images = list(
        evaluation.detect(
            model,
            [folder.path(task.eval_records)],
            label_map_path=folder.path(task.label_map),
            limit=drawn.IMAGES,
        )
    )
    keep_drawn(label_map_path, images, picture)


def keep_drawn(
    label_map_path: str,
    images: Sequence[evaluation.EvaluatedImage],
    picture: pathlib.Path,
) -> None:
    """Writes images with detections for `report` to draw.

    Args:
      label_map_path: names what was detected.
    """
    items = label_map.read_label_map(label_map_path)
    by_id = {number: text or name for number, name, text in items}
    names = [by_id.get(number, "") for number in range(1, max(by_id) + 1)]
    picture.parent.mkdir(parents=True, exist_ok=True)
    drawn.save(str(picture), images, names)


def _light(
    images: Iterable[evaluation.EvaluatedImage],
) -> list[evaluation.EvaluatedImage]:
    """All of them, but the pixels of those alone that are drawn.

    Tens of thousands of photographs fill a machine's memory.
    """
    return [
        image
        if index < drawn.IMAGES
        else dataclasses.replace(image, image=_NO_PIXELS)
        for index, image in enumerate(images)
    ]


def _accuracy(
    task: SuiteTask, images: Sequence[evaluated.Evaluated]
) -> Accuracy:
    values = {
        definition: evaluated.measure(
            images, definition=definition, honour=task.honoured_flags
        ).value
        for definition in ("coco", "pascal")
    }
    return Accuracy(**values)
