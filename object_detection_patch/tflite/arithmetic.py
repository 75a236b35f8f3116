"""The numbers of a patched model (FORMAT.md, Arithmetic), in plain numpy.

Everything is float32, each operation rounded by itself, in the order of
FORMAT.md: `native/` computes the same bits. Channels are told by `form`:
weights in file order are (channels, others) for a convolution and (others,
channels) for a depthwise kernel.
"""

from __future__ import annotations

import dataclasses
from typing import TypeAlias

import numpy as np

from object_detection_patch.patch_file import (
    AddSigned,
    AffineMask,
    Replace,
    ScaleOffset,
)
from object_detection_patch.patch_file.adapter_edits import (
    ADAPTERS,
    AdapterEdit,
)
from object_detection_patch.patch_file.edits import MaskEdit
from object_detection_patch.patch_file.errors import shown
from object_detection_patch.tflite.adapters import adapted_weights
from object_detection_patch.tflite.errors import NumberError
from object_detection_patch.tflite.sidecar import (
    CONVOLUTION,
    FLOAT32,
    Norm,
)

KernelEdit: TypeAlias = Replace | MaskEdit | AdapterEdit

ZERO = np.float32(0)


@dataclasses.dataclass(frozen=True)
class Fold:
    """What a norm does to each channel: float32 (channels,) each.

    Args:
      scale: s', by which new weights are multiplied.
      offset: b', the bias that it leaves.
      ratio: r, by which weights in the base's file are multiplied.
      base_scale: s, by which those were multiplied.
    """

    scale: np.ndarray
    offset: np.ndarray
    ratio: np.ndarray
    base_scale: np.ndarray


def fold_norm(norm: Norm, edit: ScaleOffset | None) -> Fold:
    """The fold of a norm, edited or not."""
    gamma = norm.gamma if edit is None else edit.scale
    beta = norm.beta if edit is None else edit.offset
    with quiet():
        scale = gamma * norm.inverse_deviation
        offset = beta - norm.mean * scale
        ratio = gamma / norm.gamma
        base_scale = norm.gamma * norm.inverse_deviation
    for numbers in (scale, offset, ratio):
        finite(norm.name, numbers)
    return Fold(scale, offset, ratio, base_scale)


def no_fold(channels: int) -> Fold:
    """Of a convolution without a norm: a bias of zeros, else nothing."""
    one = np.ones(channels, np.float32)
    return Fold(one, np.zeros(channels, np.float32), one, one)


def in_file_order(values: np.ndarray, form: int) -> np.ndarray:
    """A kernel in Keras order -> 2-D in file order."""
    height, width, inputs, outputs = values.shape
    if form == CONVOLUTION:
        return values.transpose(3, 0, 1, 2).reshape(outputs, -1)
    return values.reshape(height * width, inputs * outputs)


def patched_weights(
    name: str,
    base: np.ndarray,
    edit: KernelEdit | None,
    fold: Fold,
    form: int,
) -> np.ndarray:
    """P: float32 in file order.

    Args:
      name: of the kernel, for errors.
      base: the weights in the base's file, float32 of any shape. A Replace
        does not look at them, so they may be of another size.

    Raises:
      NumberError: if one is not finite.
    """
    scale, ratio = by_channel(fold.scale, form), by_channel(fold.ratio, form)
    with quiet():
        if isinstance(edit, Replace):
            patched = in_file_order(edit.values, form) * scale
        else:
            base = by_channels(base, len(fold.scale), form)
            if edit is None:
                patched = base * ratio
            elif isinstance(edit, ADAPTERS):
                patched = adapted_weights(
                    base,
                    edit,
                    scale=fold.scale,
                    ratio=fold.ratio,
                    base_scale=fold.base_scale,
                )
            else:
                mask = in_file_order(edit.mask, form)
                patched = _masked(base, mask, edit, scale, ratio)
    return finite(name, patched)


def _masked(
    base: np.ndarray,
    mask: np.ndarray,
    edit: MaskEdit,
    scale: np.ndarray,
    ratio: np.ndarray,
) -> np.ndarray:
    if isinstance(edit, AddSigned):
        step = np.float32(edit.scale) * scale
        return base * ratio + np.where(mask, -step, step)
    if isinstance(edit, AffineMask):
        k0, k1, k2 = map(np.float32, (edit.k0, edit.k1, edit.k2))
        added = np.where(mask, (k1 + k2) * scale, k1 * scale)
        return base * (k0 * ratio) + added
    return np.where(mask, base * ratio + ZERO, ZERO)


def stored_float(name: str, values: np.ndarray, precision: str) -> bytes:
    """The bytes of float32 values in a float model."""
    if precision == FLOAT32:
        return values.astype("<f4", copy=False).tobytes()
    with quiet():
        halves = values.astype("<f2")
    return finite(name, halves).tobytes()


def loaded_float(data: memoryview, precision: str) -> np.ndarray:
    """float32 values from the bytes of a float model."""
    dtype = "<f4" if precision == FLOAT32 else "<f2"
    with quiet():
        return np.frombuffer(data, dtype).astype(np.float32, copy=False)


def by_channel(values: np.ndarray, form: int) -> np.ndarray:
    """(channels,) shaped to meet weights in file order."""
    return values[:, None] if form == CONVOLUTION else values[None, :]


def by_channels(weights: np.ndarray, channels: int, form: int) -> np.ndarray:
    """Weights in file order as 2-D: (channels, others) or the other way."""
    if form == CONVOLUTION:
        return weights.reshape(channels, -1)
    return weights.reshape(-1, channels)


def quiet() -> np.errstate:
    """NaN and Inf are looked for where they matter: no warnings before."""
    return np.errstate(all="ignore")


def finite(name: str, values: np.ndarray) -> np.ndarray:
    """The values; NumberError if one is NaN or infinite."""
    if not np.isfinite(values).all():
        raise NumberError(
            "The numbers of a patched model must be finite. Received: NaN or "
            f"Inf for {shown(name)}; the patch does not suit this base."
        )
    return values
