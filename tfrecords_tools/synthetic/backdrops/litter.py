"""Things of no class: what makes a scene untidy."""

import math

import numpy as np

from tfrecords_tools.synthetic import paint
from tfrecords_tools.synthetic.affine import pose
from tfrecords_tools.synthetic.picture import Picture
from tfrecords_tools.synthetic.vector import Sketch


def litter(picture: Picture, rng: np.random.Generator, count: int) -> None:
    """Paints `count` pebbles, sheets, rings and threads at random places."""
    pen = Sketch()
    for _ in range(count):
        x, y = rng.uniform(0, picture.aspect), rng.uniform(0, 1)
        where = pose(
            x, y, rng.uniform(0.04, 0.2), angle=rng.uniform(0, 2 * math.pi)
        )
        with pen.posed(where):
            _scrap(pen, rng, paint.muted(rng))
    picture.paint(pen)


def _scrap(pen: Sketch, rng: np.random.Generator, colour: paint.Colour) -> None:
    kind = rng.integers(4)
    if kind == 0:
        corners = np.array([(-1, 0), (-0.3, -0.7), (0.9, -0.4), (0.6, 0.6)])
        pen.blob(0.5 * corners + rng.uniform(-0.15, 0.15, (4, 2)), colour)
    elif kind == 1:
        pen.rectangle(-1.06, -0.64, 1.06, 0.76, paint.veil(paint.BLACK, 0.2))
        pen.rectangle(-1, -0.7, 1, 0.7, paint.lighter(colour, 0.4))
        for y in (-0.35, 0.0, 0.35):
            pen.line([(-0.7, y), (0.6, y)], 0.05, colour)
    elif kind == 2:
        pen.circle(0, 0, 1, paint.lighter(colour, 0.5))
        pen.circle(0, 0, 0.72, paint.lighter(colour, 0.3))
    else:
        knots = rng.uniform(-1.5, 1.5, (4, 2))
        pen.curve(knots, 0.07, paint.darker(colour, 0.2))
