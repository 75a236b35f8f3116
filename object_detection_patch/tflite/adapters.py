"""Matrices between channels, folded into weights that hold a norm already."""

from __future__ import annotations

import numpy as np

from object_detection_patch.patch_file.adapter_edits import (
    AT_CENTRE,
    AdapterEdit,
    matrix_of,
    ordered_product,
)


def adapted_weights(
    base: np.ndarray,
    edit: AdapterEdit,
    *,
    scale: np.ndarray,
    ratio: np.ndarray,
    base_scale: np.ndarray,
) -> np.ndarray:
    """P of a convolution (FORMAT.md, Arithmetic), float32 like `base`.

    The weights of channel c in the base's file were multiplied by
    base_scale[c], which mixing takes out again.

    Args:
      base: B, float32 (channels, others), in file order.
      edit: one that fits the kernel.
      scale: s', float32 (channels,), as the next two.
      ratio: r.
      base_scale: s.
    """
    channels = len(base)
    scaled = base * ratio[:, None]
    matrix = matrix_of(edit, channels) * scale
    if not isinstance(edit, AT_CENTRE):
        mixing = matrix / base_scale[:, None]
        return scaled + ordered_product(mixing.T, base)
    taps = scaled.reshape(channels, -1, len(matrix))
    taps[:, taps.shape[1] // 2] += matrix.T
    return scaled
