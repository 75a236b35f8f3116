"""Kernels rounded to the int8 grid, so that tasks train on what phones hold."""

from __future__ import annotations

import numpy as np

_MOST = np.float32(127)
# Below it a scale would be a subnormal number, or 0 to divide by.
_LEAST_MAGNITUDE = np.float32(1e-30)


def snapped(kernel: np.ndarray, *, is_depthwise: bool) -> np.ndarray:
    """A kernel whose values are whole steps of its channel's scale.

    The scale of an output channel is its greatest magnitude / 127, as in
    the int8 model; folding a BatchNorm multiplies both and changes no step.
    A channel of magnitudes below 1e-30 becomes zeros.

    Args:
      kernel: float32 in Keras shape, (h, w, in, out) or depthwise
        (h, w, in, multiplier).
    """
    axes = (0, 1) if is_depthwise else (0, 1, 2)
    greatest = np.abs(kernel).max(axis=axes, keepdims=True)
    scale = (
        np.where(greatest > _LEAST_MAGNITUDE, greatest, np.float32(1)) / _MOST
    )
    return (np.rint(kernel / scale) * scale).astype(np.float32)
