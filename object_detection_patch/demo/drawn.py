"""A few images with detections, kept by one process for another to draw."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import numpy as np

from object_detection_patch import pictures

IMAGES = 4
_MIN_SCORE = 0.4


class Detected(Protocol):
    """What is kept of an image.

    Args:
      image: uint8 [height, width, 3].
      boxes: [N, 4] as ymin, xmin, ymax, xmax, fractions of the image.
      scores, classes: [N], classes from 1.
    """

    @property
    def image(self) -> np.ndarray: ...
    @property
    def boxes(self) -> np.ndarray: ...
    @property
    def scores(self) -> np.ndarray: ...
    @property
    def classes(self) -> np.ndarray: ...


def save(
    path: str, images: Iterable[Detected], label_names: Sequence[str]
) -> None:
    """Writes an .npz file; `label_names` are of the classes from 1."""
    arrays: dict[str, Any] = {"label_names": np.array(label_names)}
    for index, image in enumerate(images):
        for key in ("image", "boxes", "scores", "classes"):
            arrays[f"{key}_{index}"] = getattr(image, key)
    np.savez_compressed(path, **arrays)


def draw(path: str) -> list[np.ndarray]:
    """The images that `save` wrote, boxes and labels drawn into them."""
    with np.load(path) as arrays:
        names = dict(enumerate(arrays["label_names"].tolist(), start=1))
        count = sum(key.startswith("image_") for key in arrays.files)
        return [
            pictures.draw_detections(
                arrays[f"image_{index}"],
                arrays[f"boxes_{index}"],
                arrays[f"classes_{index}"],
                arrays[f"scores_{index}"],
                names,
                min_score=_MIN_SCORE,
            )
            for index in range(count)
        ]
