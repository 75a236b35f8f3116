"""Runs exported models in LiteRT: raw outputs, detections, mAP."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from ai_edge_litert import interpreter as litert

from object_detection_patch.decathlon.evaluated import measure
from object_detection_patch.export.normalisation import (
    Normalisation,
    of_model,
)
from object_detection_patch.od_api import compat, evaluation, label_map
from object_detection_patch.patch_file import LabelMapItem

_POST_PROCESSING = "TFLite_Detection_PostProcess"


class Runtime:
    """A model of ours in the phone's runtime.

    Args:
      model: bytes of a .tflite file.
      keep_tensors: keeps what `raw_outputs` reads; slower.
    """

    def __init__(self, model: bytes, *, keep_tensors: bool = False) -> None:
        self._interpreter = litert.Interpreter(
            model_content=bytes(model),
            num_threads=1,
            experimental_preserve_all_tensors=keep_tensors,
        )
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]
        self._outputs = self._interpreter.get_output_details()

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width of the input."""
        _, height, width, _ = self._input["shape"]
        return int(height), int(width)

    def detect(
        self, image: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Boxes [N, 4], classes [N] from 0 and scores [N].

        Args:
          image: float32 (height, width, 3), normalised.
        """
        self._run(image)
        boxes, classes, scores, count = (
            self._interpreter.get_tensor(output["index"])
            for output in self._outputs
        )
        found = int(count[0])
        return boxes[0][:found], classes[0][:found], scores[0][:found]

    def raw_outputs(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What goes into post-processing: box encodings, class scores."""
        self._run(image)
        # The one way to an operation's tensors that LiteRT offers.
        operation = next(
            details
            for details in self._interpreter._get_ops_details()  # noqa: SLF001
            if details["op_name"] in (_POST_PROCESSING, "CUSTOM")
        )
        boxes, scores = operation["inputs"][:2]
        return (
            self._interpreter.get_tensor(boxes),
            self._interpreter.get_tensor(scores),
        )

    def _run(self, image: np.ndarray) -> None:
        self._interpreter.set_tensor(
            self._input["index"], image[None].astype(np.float32)
        )
        self._interpreter.invoke()


def inputs(
    pipeline: Any,
    records: Sequence[str],
    normalisation: Normalisation,
    limit: int,
) -> list[np.ndarray]:
    """Images of TFRecords as a model takes them: float32 (h, w, 3).

    Their boxes and classes are not looked at.
    """
    resize = evaluation.resizer(pipeline)
    dataset = evaluation.decoded_records(records, None).take(limit)
    return [
        normalisation.apply(resize(example["image"]))
        for example in dataset.as_numpy_iterator()
    ]


def refuse_empty(option: str, pattern: str) -> None:
    """Raises ValueError unless a pattern matches records.

    Args:
      option: by which the pattern was given, for the message.
    """
    compat.enable()
    dataset = evaluation.decoded_records([pattern], None)
    try:
        is_empty = not any(True for _ in dataset.take(1))
    except (tf.errors.DataLossError, tf.errors.InvalidArgumentError) as error:
        raise ValueError(
            f"`{option}` must hold TFRecords of the OD API. Received: "
            f"{pattern!r}, which holds something else ({error.message})."
        ) from error
    if is_empty:
        raise ValueError(
            f"`{option}` must hold images. Received: {pattern!r}, without a "
            "record."
        )


def mean_average_precision(
    model: bytes, pipeline: Any, records: Sequence[str], label_map_path: str
) -> float:
    """mAP at IoU 0.5 of an exported model, as COCO defines it."""
    images = list(evaluated(model, pipeline, records, label_map_path))
    return measure(images, definition="coco").value


def label_map_file(items: Iterable[LabelMapItem], folder: str) -> str:
    """Writes a patch's label map, for records of its task, into a folder."""
    path = os.path.join(folder, "label_map.pbtxt")
    text = label_map.label_map_text(
        (item.id, item.name, item.display_name) for item in items
    )
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def evaluated(
    model: bytes, pipeline: Any, records: Sequence[str], label_map_path: str
) -> Iterator[evaluation.EvaluatedImage]:
    """What an exported model finds in the images of TFRecords, in order."""
    resize = evaluation.resizer(pipeline)
    normalisation = of_model(model)
    runtime = Runtime(model)
    dataset = evaluation.decoded_records(records, label_map_path)
    for example in dataset.as_numpy_iterator():
        image = normalisation.apply(resize(example["image"]))
        boxes, classes, scores = runtime.detect(image)
        yield evaluation.evaluated_image(
            example, boxes=boxes, scores=scores, classes=classes
        )
