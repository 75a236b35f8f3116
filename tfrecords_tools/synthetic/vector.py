"""Vector sketches: a thing as polygons and lines in coordinates of its own.

By custom a thing fills the square from -1 to 1 in x and y (y downwards) and
stands on y = 1. A `Sketch` only records; `picture.Picture` paints it under a
pose. Later parts lie above earlier ones.
"""

import contextlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from tfrecords_tools.synthetic.affine import IDENTITY, Affine
from tfrecords_tools.synthetic.outlines import (
    Points,
    arc_points,
    ellipse_points,
    rectangle_points,
    smooth,
)
from tfrecords_tools.synthetic.paint import Colour


class Part(NamedTuple):
    """One stroke of a sketch.

    Args:
        points: (n, 2).
        colour: see `paint`; None paints nothing itself (of a clip).
        width: 0 for a filled polygon, else of a line with round ends.
        inside: parts of which one sees what lies in this polygon.
    """

    points: np.ndarray
    colour: Colour | None
    width: float = 0.0
    inside: tuple["Part", ...] = ()

    @property
    def is_solid(self) -> bool:
        """Whether it belongs to the object; translucent parts do not."""
        return self.colour is not None and len(self.colour) == 3


def moved(parts: Sequence[Part], affine: Affine) -> list[Part]:
    """The parts under a map; widths grow with the root of the area."""
    if not parts:
        return []
    stacked = affine.apply(np.concatenate([part.points for part in parts]))
    result, start, scale = [], 0, affine.scale
    for points, colour, width, inside in parts:
        end = start + len(points)
        within = tuple(moved(inside, affine)) if inside else ()
        result.append(Part(stacked[start:end], colour, width * scale, within))
        start = end
    return result


class Sketch:
    """A thing in the making; every method below adds parts on top."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self._pose = IDENTITY

    @contextlib.contextmanager
    def posed(self, affine: Affine) -> Iterator[None]:
        """Parts added within are moved by `affine` first; nests."""
        outer = self._pose
        self._pose = outer @ affine
        try:
            yield
        finally:
            self._pose = outer

    @contextlib.contextmanager
    def clipped(self, points: Points) -> Iterator[None]:
        """Of parts added within, one sees what lies in a polygon; nests.

        They belong to the object only where solid parts lie beneath.
        """
        outer, self.parts = self.parts, []
        try:
            yield
        finally:
            inside, self.parts = tuple(self.parts), outer
        self.parts.append(Part(self._placed(points), None, 0.0, inside))

    def polygon(self, points: Points, colour: Colour) -> None:
        """A filled polygon."""
        self.parts.append(Part(self._placed(points), colour))

    def blob(self, points: Points, colour: Colour) -> None:
        """A filled smooth shape whose edge runs through the points."""
        self.polygon(smooth(points, closed=True), colour)

    def line(self, points: Points, width: float, colour: Colour) -> None:
        """A line with round ends, `width` thick."""
        scaled = width * self._pose.scale
        self.parts.append(Part(self._placed(points), colour, scaled))

    def curve(self, points: Points, width: float, colour: Colour) -> None:
        """A smooth line through the points."""
        self.line(smooth(points, closed=False), width, colour)

    def ellipse(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float,
        colour: Colour,
        *,
        angle: float = 0.0,
    ) -> None:
        """A filled ellipse around (x, y); `angle` in radians, clockwise."""
        self.polygon(ellipse_points(x, y, rx, ry, angle), colour)

    def circle(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """A filled circle."""
        self.ellipse(x, y, radius, radius, colour)

    def sector(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float,
        start: float,
        end: float,
        colour: Colour,
    ) -> None:
        """A filled piece of an ellipse with its centre as a corner.

        Args:
            start, end: fractions of a turn, clockwise from the right.
        """
        arc = arc_points(x, y, rx, ry, start, end)
        self.polygon(np.concatenate([arc, [(x, y)]]), colour)

    def arc(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float,
        start: float,
        end: float,
        width: float,
        colour: Colour,
    ) -> None:
        """A line along a piece of an ellipse; angles as in `sector`."""
        self.line(arc_points(x, y, rx, ry, start, end), width, colour)

    def rectangle(
        self,
        x0: float,
        y0: float,
        x1: float,
        y1: float,
        colour: Colour,
        *,
        radius: float = 0.0,
    ) -> None:
        """A filled box with corners rounded by `radius`."""
        self.polygon(rectangle_points(x0, y0, x1, y1, radius), colour)

    def add(self, other: "Sketch", affine: Affine = IDENTITY) -> None:
        """All parts of another sketch, moved by `affine` first."""
        placed = self._pose @ affine
        self.parts.extend(moved(other.parts, placed))

    def _placed(self, points: Points) -> np.ndarray:
        corners = np.asarray(points, dtype=np.float64)
        return corners if self._pose is IDENTITY else self._pose.apply(corners)
