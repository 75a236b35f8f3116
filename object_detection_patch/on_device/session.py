"""Trains such a model in LiteRT, without TensorFlow."""

from __future__ import annotations

import io
import os
from typing import Any

import numpy as np
from ai_edge_litert import interpreter as litert

from object_detection_patch.on_device import names
from object_detection_patch.patch_file.whole_file import write_whole


class Session:
    """A model with the signatures train, infer, parameters and restore.

    Args:
      model: bytes of the .tflite.
      num_threads: that LiteRT may use.

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
        """
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
        file = io.BytesIO()
        np.savez(file, **self.parameters())
        write_whole(path, file.getvalue())

    def restore(self, path: str | os.PathLike[str]) -> None:
        """Goes on from what `save` wrote; momentum starts at 0.

        Raises:
          ValueError: for values of another base.
        """
        with np.load(path, allow_pickle=False) as file:
            values = dict(file)
        own = self.parameters()[names.FINGERPRINT]
        if not np.array_equal(values.pop(names.FINGERPRINT, None), own):
            raise ValueError(
                "A training goes on with the base that it began with. "
                f"Received: {os.fspath(path)!r} of another."
            )
        self._run(names.RESTORE, **values)

    def _run(self, signature: str, **inputs: Any) -> dict[str, np.ndarray]:
        return self._interpreter.get_signature_runner(signature)(**inputs)
