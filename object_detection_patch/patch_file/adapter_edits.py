"""Edits of a convolution by a matrix between its channels.

A residual adapter is a convolution of 1 x 1 with a matrix A, beside a frozen
kernel W (h, w, in, out) or behind it. Either way the two are one kernel:

    beside (centre):   W'[y, x, i, o] = W[y, x, i, o] + A[i, o]
                       at y = (h - 1) / 2, x = (w - 1) / 2; elsewhere W
    behind (outputs):  W'[y, x, i, o] = W[y, x, i, o]
                                        + sum over c of W[y, x, i, c] A[c, o]

A is stored whole, or as a product of two factors of low rank K,

    A[j, o] = sum over k < K of values[k, j] values[k, rows + o].

All is float32, each operation rounded on its own; every sum begins with the
product of its first index and adds the others in ascending order.

Reference: Rebuffi et al., Efficient parametrization of multi-domain deep
neural networks, Sections 3.1 and 3.4.
"""

from __future__ import annotations

import dataclasses
from typing import TypeAlias

import numpy as np

from object_detection_patch.patch_file import by_value


@dataclasses.dataclass(frozen=True, eq=False)
class _Adapter(by_value.ByValue):
    """`values` are float32, of two dimensions."""

    target: str
    values: np.ndarray

    def __post_init__(self) -> None:
        values = by_value.constant_floats(self.values)
        by_value.set_field(self, "values", values)


class AddAtCentre(_Adapter):
    """W' = W + A at the centre; values are A (in, out)."""


class AddProductAtCentre(_Adapter):
    """W' = W + A at the centre; values are (K, in + out)."""


class MixOutputs(_Adapter):
    """W' = W + W A over the outputs; values are A (out, out)."""


class MixOutputsByProduct(_Adapter):
    """W' = W + W A over the outputs; values are (K, 2 out)."""


AdapterEdit: TypeAlias = (
    AddAtCentre | AddProductAtCentre | MixOutputs | MixOutputsByProduct
)
ADAPTERS = (AddAtCentre, AddProductAtCentre, MixOutputs, MixOutputsByProduct)
PRODUCTS = (AddProductAtCentre, MixOutputsByProduct)
AT_CENTRE = (AddAtCentre, AddProductAtCentre)


def fits(edit: AdapterEdit, shape: tuple[int, ...]) -> bool:
    """Whether an edit can be of a kernel of this shape.

    Args:
      edit: of any kind here.
      shape: (h, w, in, out); h and w must be odd for there to be a centre.
    """
    if len(shape) != 4:
        return False
    height, width, inputs, outputs = shape
    rows = outputs
    if isinstance(edit, AT_CENTRE):
        if height % 2 == 0 or width % 2 == 0:
            return False
        rows = inputs
    if isinstance(edit, PRODUCTS):
        return edit.values.ndim == 2 and edit.values.shape[1] == rows + outputs
    return edit.values.shape == (rows, outputs)


def matrix_of(edit: AdapterEdit, outputs: int) -> np.ndarray:
    """A, float32 (rows, outputs), of an edit that `fits`."""
    if not isinstance(edit, PRODUCTS):
        return edit.values
    rows = edit.values.shape[1] - outputs
    return ordered_product(edit.values[:, :rows].T, edit.values[:, rows:])


def ordered_product(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The matrix product, its sums in ascending order of the inner index.

    Args:
      left: float32 (rows, inner), inner at least 1.
      right: float32 (inner, columns).

    Returns:
      float32 (rows, columns), the same bits on every machine.
    """
    total = left[:, :1] * right[:1]
    for index in range(1, len(right)):
        total += left[:, index : index + 1] * right[index]
    return total


def adapted(kernel: np.ndarray, edit: AdapterEdit) -> np.ndarray:
    """W' of an edit that `fits` the kernel, float32 (h, w, in, out)."""
    height, width, _, outputs = kernel.shape
    matrix = matrix_of(edit, outputs)
    if isinstance(edit, AT_CENTRE):
        changed = kernel.copy()
        changed[height // 2, width // 2] += matrix
        return changed
    mixed = ordered_product(kernel.reshape(-1, outputs), matrix)
    return kernel + mixed.reshape(kernel.shape)
