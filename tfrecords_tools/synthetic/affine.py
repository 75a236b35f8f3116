"""Where a drawn thing stands: an affine map of the plane."""

import dataclasses
import math

import numpy as np


@dataclasses.dataclass(frozen=True, slots=True)
class Affine:
    """(x, y) -> (a x + b y + c, d x + e y + f); x to the right, y downwards."""

    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 0.0
    e: float = 1.0
    f: float = 0.0

    def __matmul__(self, inner: "Affine") -> "Affine":
        """The map that applies `inner` first."""
        return Affine(
            self.a * inner.a + self.b * inner.d,
            self.a * inner.b + self.b * inner.e,
            self.a * inner.c + self.b * inner.f + self.c,
            self.d * inner.a + self.e * inner.d,
            self.d * inner.b + self.e * inner.e,
            self.d * inner.c + self.e * inner.f + self.f,
        )

    def apply(self, points: np.ndarray) -> np.ndarray:
        """Images of points (n, 2), as float64 (n, 2)."""
        x, y = points[:, 0], points[:, 1]
        mapped = np.empty((len(points), 2))
        mapped[:, 0] = self.a * x + self.b * y + self.c
        mapped[:, 1] = self.d * x + self.e * y + self.f
        return mapped

    @property
    def scale(self) -> float:
        """Square root of the factor by which areas grow."""
        return math.sqrt(abs(self.a * self.e - self.b * self.d))


IDENTITY = Affine()


def pose(
    x: float = 0.0,
    y: float = 0.0,
    scale: float = 1.0,
    *,
    angle: float = 0.0,
    stretch: float = 1.0,
    flipped: bool = False,
    shear: float = 0.0,
) -> Affine:
    """Mirrors, stretches, shears, turns, scales, then moves the origin.

    Args:
        x, y: where the origin goes.
        scale: factor of lengths.
        angle: radians, clockwise as seen, since y points downwards.
        stretch: width grows by its root, height shrinks by it.
        flipped: left and right swapped.
        shear: x grows by shear * y.
    """
    wide = scale * math.sqrt(stretch) * (-1 if flipped else 1)
    high = scale / math.sqrt(stretch)
    cos, sin = math.cos(angle), math.sin(angle)
    sheared = shear * high
    return Affine(
        cos * wide,
        cos * sheared - sin * high,
        x,
        sin * wide,
        sin * sheared + cos * high,
        y,
    )
