"""PNG files, whole or not at all."""

from __future__ import annotations

import os
import pathlib

import numpy as np

from object_detection_patch.pictures import packages
from object_detection_patch.pictures.checks import checked_image


def save_png(path: str | os.PathLike[str], image: np.ndarray) -> None:
    """Writes a PNG beside its target and renames it: never half a file.

    Raises:
      ValueError: not an image.
      OSError: the folder is missing or full; an older file stays as it was.
      ImportError: without Pillow.
    """
    picture = packages.pillow("Image").fromarray(checked_image("image", image))
    target = pathlib.Path(path)
    beside = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        with open(beside, "wb") as file:
            picture.save(file, format="PNG")
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
