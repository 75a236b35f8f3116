"""Matrices as products of two factors of low rank.

Computed in float64, returned in float32.
Reference: Rebuffi et al., Efficient parametrization of multi-domain deep
neural networks, Section 3.4. The paper's alpha is the transpose of our A: we
write y = x A, so its beta is our right factor, and its gamma our left one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np


@dataclasses.dataclass(frozen=True)
class Factors:
    """A = left right, (rows, K) and (K, columns), both float32."""

    left: np.ndarray
    right: np.ndarray


def truncated(matrix: np.ndarray, rank: int) -> Factors:
    """The nearest product of a rank in the Frobenius norm.

    Each factor gets the square root of the singular values: both then train
    at one learning rate.

    Args:
      matrix: (rows, columns).
      rank: at most either of them.
    """
    left, values, right = _svd(matrix, rank)
    root = np.sqrt(values)
    return Factors(_single(left * root), _single(root[:, None] * right))


def joint(
    matrices: Sequence[np.ndarray], rank: int
) -> tuple[list[np.ndarray], np.ndarray]:
    """A left factor for each matrix and one right factor for all (Eq. 1).

    [A_1; ...; A_T] = U S V, cut to the rank; left_t is the part of U that
    stands at A_t, and right is S V.

    Args:
      matrices: T of them, each (rows, columns).
      rank: at most either of them.

    Returns:
      T of (rows, rank), and (rank, columns).
    """
    left, values, right = _svd(np.concatenate(matrices), rank)
    lefts = np.split(_single(left), len(matrices))
    return lefts, _single(values[:, None] * right)


def fitted(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The left factor (rows, K) that is best beside a given right one."""
    wide = np.float64
    solved = np.linalg.lstsq(right.T.astype(wide), matrix.T.astype(wide))
    return _single(solved[0].T)


def squared(matrix: np.ndarray) -> float:
    """The square of the Frobenius norm."""
    return float(np.sum(np.square(matrix.astype(np.float64))))


def squared_error(matrix: np.ndarray, factors: Factors) -> float:
    """The square of the Frobenius norm of A - left right."""
    product = factors.left.astype(np.float64) @ factors.right
    return squared(matrix - product)


def _svd(
    matrix: np.ndarray, rank: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    left, values, right = np.linalg.svd(
        matrix.astype(np.float64), full_matrices=False
    )
    return left[:, :rank], values[:rank], right[:rank]


def _single(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32)
