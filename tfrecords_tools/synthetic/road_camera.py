"""A camera above a straight road, as of a car that records its drive."""

import dataclasses
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

Points3D: TypeAlias = Sequence[tuple[float, float, float]] | np.ndarray
"""Corners (x, y, z) in metres: to the right, up from the road, ahead."""

_NEAREST = 0.8


@dataclasses.dataclass(frozen=True, slots=True)
class Camera:
    """Pinhole camera that looks straight ahead.

    Args:
        x, horizon: where the road vanishes, in heights of the picture.
        focal_length: in heights of the picture.
        above_road: metres.
    """

    x: float
    horizon: float
    focal_length: float = 1.25
    above_road: float = 1.65

    def project(self, points: Points3D) -> np.ndarray:
        """Picture coordinates (n, 2) of points (n, 3).

        What lies nearer than 0.8 m counts as 0.8 m away.
        """
        corners = np.asarray(points, dtype=np.float64)
        scale = self.focal_length / np.maximum(corners[:, 2], _NEAREST)
        seen = np.empty((len(corners), 2))
        seen[:, 0] = self.x + corners[:, 0] * scale
        seen[:, 1] = self.horizon + (self.above_road - corners[:, 1]) * scale
        return seen

    def scale(self, z: float) -> float:
        """Heights of the picture that a metre takes at a distance."""
        return self.focal_length / max(z, _NEAREST)
