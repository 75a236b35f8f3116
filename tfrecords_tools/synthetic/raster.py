"""Antialiased masks: drawn at four times the size, then averaged down."""

import dataclasses
import math

import numpy as np
from PIL import Image, ImageDraw

from tfrecords_tools.synthetic.glyphs import Strokes
from tfrecords_tools.synthetic.silhouettes import Outline

OVERSAMPLING = 4


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pose:
    """Where a drawing of radius 1 stands in the frame.

    pixel = side * (centre + radius * R(angle) @ diag(stretch, 1/stretch) @ p)

    Args:
        centre: (x, y), fractions of the frame's side.
        radius: fraction of the frame's side.
        angle: radians, clockwise on the screen.
        stretch: widens and flattens while it keeps the area.
    """

    centre: tuple[float, float]
    radius: float
    angle: float = 0.0
    stretch: float = 1.0

    def to_pixels(self, points: np.ndarray, side: int) -> np.ndarray:
        """Points (n, 2) of the drawing as continuous pixels of the frame."""
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        stretched = points * [self.stretch, 1 / self.stretch]
        rotated = stretched @ np.array([[cos, sin], [-sin, cos]])
        return side * (np.asarray(self.centre) + self.radius * rotated)


def fill_mask(outline: Outline, pose: Pose, side: int) -> np.ndarray:
    """Coverage (side, side), float32 in [0, 1], of a filled outline."""
    canvas = _Canvas(side)
    for polygon in outline:
        ink = 0 if polygon.is_hole else 255
        corners = canvas.scale(pose.to_pixels(polygon.corners, side))
        canvas.draw.polygon(corners, fill=ink)
    return canvas.coverage()


def stroke_mask(
    strokes: Strokes, pose: Pose, side: int, *, thickness: float
) -> np.ndarray:
    """Coverage of polylines drawn with a round pen.

    Args:
        thickness: of the pen, as a fraction of the frame's side.
    """
    canvas = _Canvas(side)
    pen = thickness * side * OVERSAMPLING
    for polyline in strokes:
        corners = canvas.scale(pose.to_pixels(polyline, side))
        canvas.draw.line(corners, fill=255, width=round(pen), joint="curve")
        reach = (pen - 1) / 2
        for x, y in (corners[0], corners[-1]):
            ball = (x - reach, y - reach, x + reach, y + reach)
            canvas.draw.ellipse(ball, fill=255)
    return canvas.coverage()


class _Canvas:
    """An oversampled 8-bit picture and its pen."""

    def __init__(self, side: int):
        self._image = Image.new("L", (side * OVERSAMPLING,) * 2)
        self.draw = ImageDraw.Draw(self._image)

    def scale(self, pixels: np.ndarray) -> list[tuple[float, float]]:
        # Pillow's coordinates name pixel centres, ours their edges.
        points = pixels * OVERSAMPLING - 0.5
        return [(float(x), float(y)) for x, y in points]

    def coverage(self) -> np.ndarray:
        small = self._image.reduce(OVERSAMPLING)
        return np.asarray(small, dtype=np.float32) / 255
