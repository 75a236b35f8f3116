"""Gammas too small to survive folding, raised before a base is published.

A folded kernel is W * gamma / deviation: where gamma is all but 0, so is the
kernel, and no patch can bring W back from float16 or int8.
"""

from __future__ import annotations

import dataclasses

import numpy as np

# Least |scale| of a channel, in units of the greatest of its BatchNorm.
# float32 keeps W at any scale that is no subnormal number.
FLOORS = {"float32": 2.0**-20, "float16": 2.0**-10, "int8": 2.0**-10}


@dataclasses.dataclass(frozen=True)
class Raised:
    """A BatchNorm's gamma with its small entries raised.

    Args:
      gamma: float32 (channels,).
      channels: how many were raised.
    """

    gamma: np.ndarray
    channels: int


def raise_small(
    gamma: np.ndarray, inverse_deviation: np.ndarray, precision: str
) -> Raised:
    """Raises gammas to the floor of a precision; signs stay, 0 becomes +."""
    scales = np.abs(gamma * inverse_deviation)
    greatest = float(scales.max())
    # A BatchNorm that lets nothing through has no scale of its own.
    floor = FLOORS[precision] * (greatest if greatest > 0 else 1.0)
    small = scales < np.float32(floor)
    # A little above, so that rounding leaves nothing below for the next run.
    least = np.float32(floor * 1.001) / inverse_deviation
    raised = np.where(small, np.where(gamma < 0, -least, least), gamma)
    return Raised(raised.astype(np.float32), int(small.sum()))
