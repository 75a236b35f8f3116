"""Checks of the arrays in `inputs.py`; ValueError names what is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np


def checked_boxes(name: str, values: Any) -> np.ndarray:
    """Float64 [N, 4]: finite, and no side negative; `[]` is no box."""
    boxes = np.asarray(values, np.float64)
    if boxes.size == 0 and boxes.ndim <= 2:
        boxes = boxes.reshape(0, 4)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ValueError(
            f"`{name}` must have shape [N, 4] (ymin, xmin, ymax, xmax). "
            f"Received: shape {list(boxes.shape)}"
        )
    check_finite(name, boxes)
    negative = np.flatnonzero(np.any(boxes[:, 2:] < boxes[:, :2], axis=1))
    if negative.size:
        raise ValueError(
            f"`{name}` must have ymax >= ymin and xmax >= xmin. Received: "
            f"row {negative[0]} is {boxes[negative[0]].tolist()}"
        )
    return boxes


def checked_column(name: str, values: Any, length: int) -> np.ndarray:
    """Float64 [length], whatever the values."""
    column = np.asarray(values, np.float64)
    if column.shape != (length,):
        raise ValueError(
            f"`{name}` must have one value per box, shape [{length}]. "
            f"Received: shape {list(column.shape)}"
        )
    return column


def checked_classes(name: str, values: Any, length: int) -> np.ndarray:
    """Int64 [length], all at least 1."""
    column = checked_column(name, values, length)
    check_finite(name, column)
    broken = column[column != np.floor(column)]
    if broken.size:
        raise ValueError(f"`{name}` must be integers. Received: {broken[0]}")
    if column.size and column.min() < 1:
        raise ValueError(
            f"`{name}` must be >= 1 (0 is background; add the label map's "
            f"offset). Received: {column.min():.0f}"
        )
    return column.astype(np.int64)


def checked_flag(name: str, values: Any, length: int) -> np.ndarray:
    """Bool [length] of a field of `GroundTruth`; None is all False."""
    if values is None:
        return np.zeros(length, bool)
    column = checked_column(f"GroundTruth.{name}", values, length)
    if not np.all((column == 0) | (column == 1)):
        raise ValueError(
            f"`GroundTruth.{name}` must be 0 or 1 (Open Images' -1, unknown, "
            f"is 0). Received: {sorted(set(column.tolist()))}"
        )
    return column.astype(bool)


def check_finite(name: str, values: np.ndarray) -> None:
    """Refuses infinities and what is not a number."""
    finite = np.isfinite(values)
    if not finite.all():
        where = np.argwhere(~finite)[0].tolist()
        raise ValueError(
            f"`{name}` must be finite. Received: {values[tuple(where)]} at "
            f"{where}"
        )
