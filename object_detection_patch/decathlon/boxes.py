"""Areas of boxes, [N, 4] as ymin, xmin, ymax, xmax."""

from __future__ import annotations

import numpy as np


def areas(boxes: np.ndarray) -> np.ndarray:
    """[N], in the square of the boxes' unit."""
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def intersections(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Areas common to each pair, [len(one), len(other)]."""
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    return np.prod(np.maximum(high - low, 0.0), axis=-1)
