"""Points along ellipses, rounded boxes and smooth curves."""

import functools
import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

Points: TypeAlias = Sequence[tuple[float, float]] | np.ndarray
"""Corners (x, y), at least two."""

_CURVE_STEPS = 6
_CORNER_STEPS = 4


def ellipse_points(
    x: float, y: float, rx: float, ry: float, angle: float = 0.0
) -> np.ndarray:
    """Corners (n, 2) of a polygon close to an ellipse; n grows with it."""
    corners = 12 if max(rx, ry) < 0.12 else 28
    points = _unit_circle(corners) * (rx, ry)
    if angle:
        cos, sin = math.cos(angle), math.sin(angle)
        points = points @ np.array([[cos, sin], [-sin, cos]])
    return points + (x, y)


def arc_points(
    x: float, y: float, rx: float, ry: float, start: float, end: float
) -> np.ndarray:
    """Points (n, 2) along a piece of an ellipse; angles as in `sector`."""
    count = max(3, math.ceil(28 * abs(end - start)) + 1)
    turns = 2 * math.pi * np.linspace(start, end, count)
    return np.stack([x + rx * np.cos(turns), y + ry * np.sin(turns)], axis=1)


def rectangle_points(
    x0: float, y0: float, x1: float, y1: float, radius: float = 0.0
) -> np.ndarray:
    """Corners (n, 2) of a box, with rounded corners where radius > 0."""
    if radius <= 0:
        return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])
    r = min(radius, (x1 - x0) / 2, (y1 - y0) / 2)
    corner = r * _unit_circle(4 * _CORNER_STEPS)
    steps = _CORNER_STEPS
    closed = np.concatenate([corner, corner[:1]])
    centres = ((x1 - r, y1 - r), (x0 + r, y1 - r), (x0 + r, y0 + r))
    quarters = [
        closed[i * steps : (i + 1) * steps + 1] + centre
        for i, centre in enumerate((*centres, (x1 - r, y0 + r)))
    ]
    return np.concatenate(quarters)


def smooth(points: Points, *, closed: bool) -> np.ndarray:
    """A Catmull-Rom curve through the points, as a polyline (n, 2)."""
    knots = np.asarray(points, dtype=np.float64)
    if closed:
        padded = np.concatenate([knots[-1:], knots, knots[:2]])
    else:
        padded = np.concatenate([knots[:1], knots, knots[-1:]])
    windows = np.stack([padded[i : len(padded) - 3 + i] for i in range(4)])
    curve = np.einsum("sk,knd->nsd", _spline_weights(), windows).reshape(-1, 2)
    return curve if closed else np.concatenate([curve, knots[-1:]])


@functools.cache
def _unit_circle(corners: int) -> np.ndarray:
    turns = 2 * math.pi * np.arange(corners) / corners
    return np.stack([np.cos(turns), np.sin(turns)], axis=1)


@functools.cache
def _spline_weights() -> np.ndarray:
    """(steps, 4): shares of four neighbouring knots between the middle two."""
    t = np.arange(_CURVE_STEPS) / _CURVE_STEPS
    weights = [
        -t + 2 * t**2 - t**3,
        2 - 5 * t**2 + 3 * t**3,
        t + 4 * t**2 - 3 * t**3,
        -(t**2) + t**3,
    ]
    return np.stack(weights, axis=1) / 2
