"""What adapters lose where they become products, told from the edits."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

from object_detection_patch.adapters import matrices
from object_detection_patch.adapters.low_rank import squared
from object_detection_patch.patch_file import Patch
from object_detection_patch.patch_file.adapter_edits import matrix_of


@dataclasses.dataclass(frozen=True)
class Loss:
    """Of one adapter.

    Args:
      target: its kernel.
      rank: of the product.
      squared: sum of the squares of A.
      squared_error: sum of the squares of A - left right.
    """

    target: str
    rank: int
    squared: float
    squared_error: float

    @property
    def relative(self) -> float:
        """Root of squared_error / squared; 0 for an A of zeros."""
        return relative_error([self])


def measured(
    before: Patch, after: Patch, outputs: Mapping[str, int]
) -> list[Loss]:
    """The loss of each adapter that was compressed.

    Args:
      before: with whole adapters, or products.
      after: of the same kernels; what it stores, so rounding is in it.
      outputs: target -> out of the kernel, of what was compressed.
    """
    was = matrices.adapters_of(before)
    now = matrices.adapters_of(after)
    return [_loss(was[name], now[name], outputs[name]) for name in outputs]


def new_products(before: Patch, after: Patch) -> dict[str, int]:
    """Target -> out, of the whole adapters that are products afterwards."""
    now = matrices.adapters_of(after)
    return {
        name: matrix.shape[1]
        for name, matrix in matrices.whole_of(before).items()
        if matrices.is_product(now[name])
    }


def relative_error(losses: Sequence[Loss]) -> float:
    """Of all these adapters together; 0 where all are 0."""
    whole = sum(loss.squared for loss in losses)
    error = sum(loss.squared_error for loss in losses)
    return math.sqrt(error / whole) if whole else 0.0


def energy_kept(losses: Sequence[Loss]) -> float:
    """1 less the error's share of the sums of squares."""
    return 1.0 - relative_error(losses) ** 2


def _loss(
    before: matrices.Adapter, after: matrices.Adapter, outputs: int
) -> Loss:
    was, now = matrix_of(before, outputs), matrix_of(after, outputs)
    rank = after.values.shape[0]
    return Loss(after.target, rank, squared(was), squared(was - now))
