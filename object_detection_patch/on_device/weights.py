"""Weights as they leave a device: an .npz file of plain arrays."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from object_detection_patch.on_device import names
from object_detection_patch.patch_file.whole_file import write_whole


def write_weights(
    path: str | os.PathLike[str], arrays: Mapping[str, np.ndarray]
) -> None:
    """Writes what the signature `parameters` gave."""
    file = io.BytesIO()
    # numpy's types see a flag of its own among the names.
    named: dict[str, Any] = dict(arrays)
    np.savez(file, **named)
    write_whole(path, file.getvalue())


def read_weights(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """The arrays of an .npz file.

    Raises:
      ValueError: for another file, or one without fingerprint and steps.
    """
    path = os.fspath(path)
    if not os.path.isfile(path):
        raise ValueError(f"Weights must be a file. Received: {path!r}.")
    try:
        # Opened here, because numpy leaves broken files open.
        with (
            open(path, "rb") as opened,
            np.load(opened, allow_pickle=False) as file,
        ):
            arrays = dict(file)
    except (ValueError, OSError, zipfile.BadZipFile, TypeError) as error:
        raise ValueError(
            f"Weights must be an .npz file of plain arrays. Received: {path!r}."
        ) from error
    for name, shape in ((names.FINGERPRINT, (32,)), (names.STEPS, ())):
        if name not in arrays or arrays[name].shape != shape:
            raise ValueError(
                "Weights of a device must hold all that the signature "
                f"`parameters` gives. Received: {path!r} without {name}."
            )
    return arrays
