"""Things to play with."""

import numpy as np

from tfrecords_tools.synthetic import paint
from tfrecords_tools.synthetic.outlines import arc_points
from tfrecords_tools.synthetic.vector import Sketch


def ball(rng: np.random.Generator) -> Sketch:
    """A beach ball, a football or a basketball."""
    pen, colour = Sketch(), paint.vivid(rng)
    kind = rng.integers(3)
    if kind == 0:
        pen.circle(0, 0, 0.98, paint.WHITE)
        for start in np.arange(6) / 6:
            tint = paint.vivid(rng) if start < 0.5 else colour
            pen.sector(0, 0, 0.98, 0.98, start, start + 1 / 12, tint)
        pen.circle(0, 0, 0.2, paint.WHITE)
    elif kind == 1:
        pen.circle(0, 0, 0.98, paint.WHITE)
        with pen.clipped(arc_points(0, 0, 0.98, 0.98, 0, 1)):
            _pentagon(pen, 0, 0, 0.36)
            for turn in 2 * np.pi * (np.arange(5) / 5 + 0.15):
                _pentagon(pen, 0.92 * np.sin(turn), -0.92 * np.cos(turn), 0.3)
    else:
        pen.circle(0, 0, 0.98, (222, 122, 52))
        pen.line([(-0.95, 0), (0.95, 0)], 0.06, paint.BLACK)
        pen.line([(0, -0.95), (0, 0.95)], 0.06, paint.BLACK)
        for x, start in ((-1.05, -0.15), (1.05, 0.35)):
            pen.arc(x, 0, 0.66, 0.8, start, start + 0.3, 0.06, paint.BLACK)
    pen.ellipse(
        -0.36, -0.42, 0.24, 0.16, paint.veil(paint.WHITE, 0.4), angle=-0.7
    )
    return pen


def kite(rng: np.random.Generator) -> Sketch:
    """A diamond of four colours with a tail of bows."""
    pen = Sketch()
    top, left, right, tip = (0.1, -0.98), (-0.5, -0.4), (0.62, -0.34), (0, 0.36)
    middle = (0.07, -0.38)
    tail = [(0, 0.36), (0.16, 0.56), (-0.1, 0.74), (0.1, 0.97)]
    pen.curve(tail, 0.03, paint.BLACK)
    for x, y in tail[1:]:
        bow = paint.vivid(rng)
        pen.polygon(
            [
                (x - 0.15, y - 0.07),
                (x + 0.15, y + 0.07),
                (x + 0.15, y - 0.07),
                (x - 0.15, y + 0.07),
            ],
            bow,
        )
    colours = [paint.vivid(rng), paint.vivid(rng)]
    for i, pair in enumerate(
        ((top, left), (left, tip), (tip, right), (right, top))
    ):
        pen.polygon([*pair, middle], colours[i % 2])
    pen.line([top, tip], 0.03, paint.WOOD)
    pen.line([left, right], 0.03, paint.WOOD)
    return pen


def _pentagon(pen: Sketch, x: float, y: float, radius: float) -> None:
    turns = 2 * np.pi * np.arange(5) / 5
    corners = np.stack([np.sin(turns), -np.cos(turns)], axis=1)
    pen.polygon(radius * corners + (x, y), paint.BLACK)
