"""The numbers of int8 models (FORMAT.md, Arithmetic), in plain numpy.

Everything here is as in arithmetic.py: float32, each operation rounded by
itself, in the order of FORMAT.md.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from object_detection_patch.patch_file import Replace
from object_detection_patch.patch_file.errors import shown
from object_detection_patch.tflite.arithmetic import (
    ZERO,
    Fold,
    KernelEdit,
    by_channel,
    by_channels,
    finite,
    patched_weights,
    quiet,
)
from object_detection_patch.tflite.errors import NumberError
from object_detection_patch.tflite.sidecar import CONVOLUTION

_SMALLEST_SCALE = np.float32(2.0**-60)
# Keeps a bias below 2^30 steps of its scale: within int32, sums included.
_BIAS_STEPS = np.float32(2.0**-30)
_MOST = np.float32(127)
# The greatest float32 that fits in an int32.
_MOST_STEPS = np.float32(2147483520)


@dataclasses.dataclass(frozen=True)
class Quantised:
    """An int8 kernel: (channels,) scales and weights in file order."""

    weights: np.ndarray
    scales: np.ndarray


def requantised(
    name: str,
    base: Quantised,
    edit: KernelEdit | None,
    fold: Fold,
    form: int,
    operations: Sequence[tuple[np.ndarray, np.float32]],
) -> Quantised:
    """An int8 kernel with its scales t'.

    Args:
      name: of the kernel, for errors.
      base: as it lies in the base; see `patched_weights`.
      operations: bias b' and input scale a of each operation that uses it.

    Raises:
      NumberError: if a number is not finite.
    """
    lowest = _lowest_scales(len(fold.scale), operations)
    with quiet():
        if edit is None:
            return _rescaled(name, base, fold, form, lowest)
        values = base.weights
        if not isinstance(edit, Replace):
            values = _dequantised(base, form)
        patched = patched_weights(name, values, edit, fold, form)
        most = np.abs(patched).max(axis=1 if form == CONVOLUTION else 0)
        scales = finite(name, np.maximum(most / _MOST, lowest))
        return Quantised(_rounded(patched, scales, form), scales)


def quantised_bias(
    name: str,
    bias: np.ndarray,
    weight_scales: np.ndarray,
    activation: np.float32,
) -> tuple[np.ndarray, np.ndarray]:
    """An int32 bias and its scales a * t', (channels,) each.

    Args:
      name: of the kernel, for errors.
      bias: b', float32 (channels,).
      weight_scales: t'.
      activation: a, the scale of what the operation reads.

    Raises:
      NumberError: if a number is not finite, a scale 0, or a bias too large.
    """
    with quiet():
        scales = finite(name, activation * weight_scales)
        steps = np.rint(bias / scales)
    if not (scales > 0).all():
        raise NumberError(
            "The scales of a bias must be above 0. Received: 0 for "
            f"{shown(name)}."
        )
    most = np.abs(steps).max()
    if not most <= _MOST_STEPS:
        raise NumberError(
            f"A bias must lie within {_MOST_STEPS:.0f} steps of its scale. "
            f"Received: {most:g} for {shown(name)}."
        )
    return steps.astype("<i4"), scales


def _lowest_scales(
    channels: int, operations: Sequence[tuple[np.ndarray, np.float32]]
) -> np.ndarray:
    """low: float32 (channels,)."""
    lowest = np.full(channels, _SMALLEST_SCALE)
    with quiet():
        for bias, activation in operations:
            steps = (np.abs(bias) / activation) * _BIAS_STEPS
            lowest = np.maximum(lowest, steps)
    return lowest


def _dequantised(base: Quantised, form: int) -> np.ndarray:
    """q * t, float32 in file order."""
    steps = by_channels(base.weights, len(base.scales), form)
    return steps.astype(np.float32) * by_channel(base.scales, form)


def _rescaled(
    name: str, base: Quantised, fold: Fold, form: int, lowest: np.ndarray
) -> Quantised:
    """A kernel of which at most the norm changes: the same steps, or fewer."""
    natural = base.scales * np.abs(fold.ratio)
    # A NaN is not kept, and then found in the weights.
    kept = natural >= lowest
    scales = finite(name, np.where(kept, natural, lowest))
    # int16, because -(-128) does not fit in int8.
    steps = by_channels(base.weights, len(scales), form).astype(np.int16)
    signed = np.where(by_channel(fold.ratio < 0, form), -steps, steps)
    weights = np.clip(signed, -127, 127).astype(np.int8)
    if kept.all():
        return Quantised(weights, scales)
    patched = _dequantised(base, form) * by_channel(fold.ratio, form)
    is_kept = by_channel(kept, form)
    finite(name, np.where(is_kept, ZERO, patched))
    rounded = _rounded(patched, scales, form)
    return Quantised(np.where(is_kept, weights, rounded), scales)


def _rounded(patched: np.ndarray, scales: np.ndarray, form: int) -> np.ndarray:
    steps = np.rint(patched / by_channel(scales, form))
    return np.clip(steps, -_MOST, _MOST).astype(np.int8)
