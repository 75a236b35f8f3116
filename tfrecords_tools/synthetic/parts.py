"""Parts that many drawn things share: patterns, shadows, eyes, wheels."""

import math

import numpy as np

from tfrecords_tools.synthetic.affine import pose
from tfrecords_tools.synthetic.outlines import Points
from tfrecords_tools.synthetic.paint import (
    BLACK,
    STEEL,
    WHITE,
    Colour,
    darker,
    veil,
)
from tfrecords_tools.synthetic.vector import Sketch


def stripes(
    pen: Sketch,
    outline: Points,
    colour: Colour,
    *,
    period: float,
    width: float,
    angle: float = 0.0,
) -> None:
    """Parallel bands inside an outline.

    Args:
        period: from band to band; `width` is a band's own.
        angle: radians; 0 draws upright bands.
    """
    centre, reach = _middle(outline)
    steps = math.ceil(reach / period)
    with pen.clipped(outline), pen.posed(pose(*centre, angle=angle)):
        for x in period * np.arange(-steps, steps + 1):
            pen.rectangle(x - width / 2, -reach, x + width / 2, reach, colour)


def dots(
    pen: Sketch,
    outline: Points,
    colour: Colour,
    *,
    period: float,
    radius: float,
) -> None:
    """Round dots inside an outline, on rows shifted by half a period."""
    centre, reach = _middle(outline)
    steps = math.ceil(reach / period)
    with pen.clipped(outline), pen.posed(pose(*centre)):
        for row in range(-steps, steps + 1):
            for column in range(-steps, steps + 1):
                x = (column + 0.5 * (row % 2)) * period
                pen.circle(x, row * period * 0.87, radius, colour)


def patches(
    pen: Sketch,
    outline: Points,
    colour: Colour,
    rng: np.random.Generator,
    *,
    count: int,
    size: float,
) -> None:
    """Irregular spots at random places inside an outline."""
    corners = np.asarray(outline)
    low, high = corners.min(axis=0), corners.max(axis=0)
    with pen.clipped(outline):
        for x, y in rng.uniform(low, high, (count, 2)):
            turns = 2 * math.pi * np.arange(6) / 6
            radii = size * rng.uniform(0.6, 1.2, 6)
            spot = np.stack([np.cos(turns), np.sin(turns)], axis=1)
            pen.blob(spot * radii[:, None] + (x, y), colour)


def ground_shadow(
    pen: Sketch, width: float = 1.0, *, x: float = 0.0, y: float = 0.97
) -> None:
    """A flat translucent shadow, `width` to either side of (x, y)."""
    pen.ellipse(x, y, width, 0.11, veil(BLACK, 0.22))
    pen.ellipse(x, y, 0.8 * width, 0.07, veil(BLACK, 0.22))


def eye(
    pen: Sketch,
    x: float,
    y: float,
    radius: float,
    *,
    white: Colour | None = None,
) -> None:
    """A dark eye with a glint; with `white`, a pupil on an eyeball."""
    if white is not None:
        pen.circle(x, y, 1.7 * radius, white)
    pen.circle(x, y, radius, BLACK)
    pen.circle(x + 0.35 * radius, y - 0.35 * radius, 0.35 * radius, WHITE)


def wheel(
    pen: Sketch, x: float, y: float, radius: float, rim: Colour = STEEL
) -> None:
    """A tyre with a rim and five gaps between its spokes."""
    pen.circle(x, y, radius, BLACK)
    pen.circle(x, y, 0.62 * radius, rim)
    for turn in 2 * math.pi * np.arange(5) / 5:
        dx, dy = 0.36 * radius * math.cos(turn), 0.36 * radius * math.sin(turn)
        pen.circle(x + dx, y + dy, 0.12 * radius, darker(rim, 0.55))


def _middle(outline: Points) -> tuple[tuple[float, float], float]:
    """Centre of an outline's box, and the reach from there to its corners."""
    corners = np.asarray(outline)
    low, high = corners.min(axis=0), corners.max(axis=0)
    x, y = (low + high) / 2
    return (float(x), float(y)), float(np.hypot(*(high - low))) / 2
