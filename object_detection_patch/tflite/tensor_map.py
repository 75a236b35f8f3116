"""Which Keras kernel and BatchNorm a constant of a TFLite model came from.

Found by value: names in a converted model mean nothing. A convolution's
weights are a host kernel times one number a channel; those numbers are the
scales of the BatchNorm that was folded in, or 1.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

# Of a match: 1 less the |cosine| of kernels, or a relative error.
_GREATEST_DISTANCE = 0.01
# Nearer than that is rounding.
_SMALLEST_DISTANCE = 1e-7
# How much better the best match must be than the next one.
_SMALLEST_MARGIN = 3.0
# Stands among the names of norms for weights without one.
_NO_NORM = "no norm"
_TINY = float(np.finfo(np.float32).tiny)


class TensorMapError(ValueError):
    """A constant of the model that comes from no tensor, or from several."""


@dataclasses.dataclass(frozen=True)
class Match:
    """What a convolution's weights are made of.

    Args:
      kernel: name of the host kernel.
      norm: name of the norm that is folded in, or None.
      margin: how many times nearer the best match is than the next one; the
        lesser one of kernel and norm.
    """

    kernel: str
    norm: str | None
    margin: float


def match_weights(
    weights: np.ndarray,
    *,
    is_depthwise: bool,
    kernels: Mapping[str, np.ndarray],
    norm_scales: Mapping[str, np.ndarray],
) -> Match:
    """Finds what the weights of one convolution are made of.

    Args:
      weights: float32 in TFLite's shape, (out, h, w, in) or (1, h, w, out).
      kernels: name -> kernel in Keras shape: (h, w, in, out), or for names
        that end in `depthwise_kernel` (h, w, in, multiplier).
      norm_scales: name -> gamma / sqrt(variance + epsilon).

    Raises:
      TensorMapError: if nothing fits, or two fit almost alike.
    """
    found = by_channel(weights, is_depthwise=is_depthwise)
    name, kernel_margin = _nearest_kernel(
        found, weights.shape, is_depthwise, kernels
    )
    kernel = _keras_by_channel(kernels[name], is_depthwise)
    # By least squares; a channel of zeros has no scale, here 0.
    squares = np.maximum((kernel * kernel).sum(axis=1), _TINY)
    ratio = (found * kernel).sum(axis=1) / squares
    norm, norm_margin = _nearest_norm(name, ratio, norm_scales)
    return Match(name, norm, min(kernel_margin, norm_margin))


def match_bias(
    bias: np.ndarray, candidates: Mapping[str, np.ndarray]
) -> str | None:
    """The bias tensor whose values these are; None for zeros.

    Args:
      bias: float32 (channels,), from the model.
      candidates: name -> values of the base's bias tensors.

    Raises:
      TensorMapError: if nothing fits, or two fit almost alike.
    """
    if not bias.any():
        return None
    distances = {
        name: _distance(bias, values)
        for name, values in candidates.items()
        if values.shape == bias.shape
    }
    return _clear_winner(f"a bias of shape {bias.shape}", distances)[0]


def by_channel(weights: np.ndarray, *, is_depthwise: bool) -> np.ndarray:
    """TFLite weights as (channels, others)."""
    if is_depthwise:
        return weights.reshape(-1, weights.shape[-1]).T
    return weights.reshape(weights.shape[0], -1)


def _keras_by_channel(kernel: np.ndarray, is_depthwise: bool) -> np.ndarray:
    """A kernel in Keras shape as (channels, others), like `by_channel`."""
    height, width, inputs, outputs = kernel.shape
    if is_depthwise:
        return kernel.reshape(height * width, inputs * outputs).T
    return kernel.transpose(3, 0, 1, 2).reshape(outputs, -1)


def _fits(
    name: str, kernel: np.ndarray, shape: tuple[int, ...], is_depthwise: bool
) -> bool:
    height, width, inputs, outputs = kernel.shape
    if is_depthwise != name.endswith("/depthwise_kernel"):
        return False
    if is_depthwise:
        return tuple(shape) == (1, height, width, inputs * outputs)
    return tuple(shape) == (outputs, height, width, inputs)


def _nearest_kernel(
    found: np.ndarray,
    shape: tuple[int, ...],
    is_depthwise: bool,
    kernels: Mapping[str, np.ndarray],
) -> tuple[str, float]:
    distances = {}
    for name, kernel in kernels.items():
        if _fits(name, kernel, shape, is_depthwise):
            mine = _keras_by_channel(kernel, is_depthwise)
            product = np.abs((found * mine).sum(axis=1))
            norms = np.linalg.norm(found, axis=1) * np.linalg.norm(mine, axis=1)
            cosine = product / np.maximum(norms, _TINY)
            distances[name] = 1 - float(cosine.mean())
    return _clear_winner(f"weights of shape {tuple(shape)}", distances)


def _nearest_norm(
    kernel: str, ratio: np.ndarray, norm_scales: Mapping[str, np.ndarray]
) -> tuple[str | None, float]:
    distances = {_NO_NORM: _distance(ratio, np.ones_like(ratio))}
    for name, scale in norm_scales.items():
        if scale.shape == ratio.shape:
            distances[name] = _distance(ratio, scale)
    best, margin = _clear_winner(f"the scales folded into {kernel}", distances)
    return (None if best == _NO_NORM else best), margin


def _clear_winner(
    what: str, distances: Mapping[str, float]
) -> tuple[str, float]:
    """The nearest name, and how many times nearer it is than the next."""
    # NaN has no order; it is as far as can be.
    far = {n: d if d == d else float("inf") for n, d in distances.items()}
    ordered = sorted(far, key=far.__getitem__)
    if not ordered or far[ordered[0]] > _GREATEST_DISTANCE:
        nearest = f" ({ordered[0]} is the nearest)" if ordered else ""
        raise TensorMapError(
            "Every constant of the model's convolutions must come from a "
            f"tensor of the base. Received: {what} like none of them{nearest}."
        )
    if len(ordered) == 1:
        return ordered[0], float("inf")
    best, next_best = (far[name] for name in ordered[:2])
    margin = next_best / max(best, _SMALLEST_DISTANCE)
    if margin < _SMALLEST_MARGIN:
        raise TensorMapError(
            "Every constant of the model's convolutions must come from one "
            f"tensor of the base. Received: {what}, which {ordered[0]} and "
            f"{ordered[1]} fit almost alike."
        )
    return ordered[0], margin


def _distance(found: np.ndarray, wanted: np.ndarray) -> float:
    """Relative: 0 for equal vectors, about 1 for unrelated ones."""
    scale = max(float(np.linalg.norm(wanted)), _TINY)
    return float(np.linalg.norm(found - wanted)) / scale
