"""Trains such a model in LiteRT, without TensorFlow."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from ai_edge_litert import interpreter as litert

from object_detection_patch.on_device import names
from object_detection_patch.on_device.weights import (
    read_weights,
    write_weights,
)


class Session:
    """A model with the signatures train, infer, parameters and restore.

    Args:
      model: bytes of the .tflite.
      num_threads: that LiteRT may use.

    Attributes:
      batch_size: images in a step.
      image_size: (height, width) in pixels.
      max_boxes: of an image.
      num_classes: of the task.

    Raises:
      ValueError: for a model without those signatures.
    """

    def __init__(self, model: bytes, *, num_threads: int = 1) -> None:
        self._interpreter = litert.Interpreter(
            model_content=bytes(model), num_threads=num_threads
        )
        signatures = self._interpreter.get_signature_list()
        wanted = {names.TRAIN, names.INFER, names.PARAMETERS, names.RESTORE}
        if not wanted <= signatures.keys():
            raise ValueError(
                "A model that trains has the signatures "
                f"{', '.join(sorted(wanted))}. Received: "
                f"{', '.join(sorted(signatures)) or 'none'}."
            )
        runner = self._interpreter.get_signature_runner
        taken = runner(names.TRAIN).get_input_details()
        given = runner(names.INFER).get_output_details()
        batch, *size, _ = map(int, taken["images"]["shape"])
        self.batch_size = batch
        self.image_size = (size[0], size[1])
        self.max_boxes = int(taken["boxes"]["shape"][1])
        # The first score is that of the background.
        self.num_classes = int(given[names.CLASSES]["shape"][-1]) - 1

    def train(
        self,
        images: np.ndarray,
        boxes: np.ndarray,
        classes: np.ndarray,
        weights: np.ndarray,
        *,
        learning_rate: float,
    ) -> float:
        """One step; returns the loss before it.

        Args:
          images: float32 [batch, height, width, 3], normalised as the base
            takes them.
          boxes: float32 [batch, boxes, 4]: top, left, bottom, right, as
            fractions of the image.
          classes: int32 [batch, boxes], from 0.
          weights: float32 [batch, boxes], 0 for a box that fills up.

        Raises:
          ValueError: for another shape than the model was exported for, or
            a class that it does not have.
        """
        if ((classes < 0) | (classes >= self.num_classes)).any():
            raise ValueError(
                f"`classes` must be from 0 to {self.num_classes - 1}. "
                f"Received: from {classes.min()} to {classes.max()}."
            )
        return float(
            self._run(
                names.TRAIN,
                images=images.astype(np.float32),
                boxes=boxes.astype(np.float32),
                classes=classes.astype(np.int32),
                weights=weights.astype(np.float32),
                learning_rate=np.float32(learning_rate),
            )["loss"]
        )

    def infer(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Raw box encodings and class scores of one image, as batch of 1."""
        return self._run(names.INFER, images=images.astype(np.float32))

    def parameters(self) -> dict[str, np.ndarray]:
        """What training changes, by name; fingerprint and steps beside it."""
        return self._run(names.PARAMETERS)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes `parameters` as an .npz file."""
        write_weights(path, self.parameters())

    def restore(self, path: str | os.PathLike[str]) -> None:
        """Goes on from what `save` wrote; momentum starts at 0.

        Raises:
          ValueError: for another file, values of another base, or of other
            tensors.
        """
        values = read_weights(path)
        own = self.parameters()[names.FINGERPRINT]
        if not np.array_equal(values.pop(names.FINGERPRINT), own):
            raise ValueError(
                "A training goes on with the base that it began with. "
                f"Received: {os.fspath(path)!r} of another."
            )
        self._run(names.RESTORE, **values)

    def _run(self, signature: str, **inputs: Any) -> dict[str, np.ndarray]:
        runner = self._interpreter.get_signature_runner(signature)
        _check_inputs(signature, inputs, runner.get_input_details())
        return runner(**inputs)


def _check_inputs(
    signature: str, inputs: Mapping[str, Any], wanted: Mapping[str, Any]
) -> None:
    """Raises ValueError for what LiteRT would resize the model to."""
    if inputs.keys() != wanted.keys():
        raise ValueError(
            f"`{signature}` takes {len(wanted)} arrays. Received: "
            f"{_first(wanted.keys() - inputs.keys())} missing and "
            f"{_first(inputs.keys() - wanted.keys())} added."
        )
    for name, value in inputs.items():
        shape = tuple(int(size) for size in wanted[name]["shape"])
        dtype = np.dtype(wanted[name]["dtype"])
        if value.shape != shape or value.dtype != dtype:
            raise ValueError(
                f"`{name}` of `{signature}` must be {dtype} of shape {shape}. "
                f"Received: {value.dtype} of shape {value.shape}."
            )


def _first(names_of: set[str]) -> str:
    return ", ".join(sorted(names_of)[:3]) or "nothing"
