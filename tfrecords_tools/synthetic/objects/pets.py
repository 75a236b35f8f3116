"""Animals of the house."""

import numpy as np

from tfrecords_tools.synthetic import paint
from tfrecords_tools.synthetic.objects.legs import FURS, PINK, Legs, add_legs
from tfrecords_tools.synthetic.outlines import smooth
from tfrecords_tools.synthetic.parts import (
    eye,
    ground_shadow,
    patches,
    stripes,
)
from tfrecords_tools.synthetic.vector import Sketch


def cat(rng: np.random.Generator) -> Sketch:
    """Sitting, face to the viewer, with a tail beside it."""
    pen, fur = Sketch(), paint.near(rng, paint.one_of(rng, FURS), 0.05)
    mark = paint.darker(fur, 0.3)
    ground_shadow(pen, 0.8)
    pen.curve([(0.4, 0.85), (0.82, 0.8), (0.86, 0.4), (0.7, 0.2)], 0.16, mark)
    trunk = smooth(
        [
            (-0.28, -0.2),
            (0.28, -0.2),
            (0.52, 0.4),
            (0.56, 0.95),
            (-0.56, 0.95),
            (-0.52, 0.4),
        ],
        closed=True,
    )
    pen.polygon(trunk, fur)
    if rng.random() < 0.5:
        stripes(pen, trunk, mark, period=0.24, width=0.08, angle=np.pi / 2)
    pen.ellipse(0, 0.4, 0.22, 0.4, paint.lighter(fur, 0.4))
    for x in (-0.2, 0.2):
        pen.rectangle(x - 0.12, 0.5, x + 0.12, 0.98, fur, radius=0.1)
        pen.ellipse(x, 0.93, 0.15, 0.08, paint.lighter(fur, 0.35))
    for sign in (-1, 1):
        pen.polygon(
            [(0.5 * sign, -0.5), (0.46 * sign, -0.99), (0.06 * sign, -0.78)],
            fur,
        )
        pen.polygon(
            [(0.42 * sign, -0.6), (0.4 * sign, -0.86), (0.18 * sign, -0.74)],
            PINK,
        )
    pen.ellipse(0, -0.46, 0.54, 0.4, fur)
    iris = paint.one_of(rng, ((214, 190, 60), (110, 180, 90), (90, 160, 210)))
    for x in (-0.22, 0.22):
        pen.ellipse(x, -0.5, 0.13, 0.11, iris)
        pen.ellipse(x, -0.5, 0.05, 0.1, paint.BLACK)
    pen.ellipse(0, -0.28, 0.2, 0.13, paint.lighter(fur, 0.5))
    pen.polygon([(-0.06, -0.36), (0.06, -0.36), (0, -0.28)], PINK)
    for sign in (-1, 1):
        pen.line(
            [(0.14 * sign, -0.27), (0.6 * sign, -0.32)],
            0.012,
            paint.veil(paint.WHITE, 0.8),
        )
    return pen


def dog(rng: np.random.Generator) -> Sketch:
    """Standing, head to the right, tail up, hanging ear."""
    pen, fur = Sketch(), paint.near(rng, paint.one_of(rng, FURS), 0.06)
    mark = paint.darker(fur, 0.35)
    ground_shadow(pen, 0.85)
    add_legs(pen, Legs(0.3, 0.15, fur, paint.lighter(fur, 0.3)), 0.52)
    pen.curve([(-0.6, 0.0), (-0.86, -0.2), (-0.84, -0.6)], 0.13, fur)
    trunk = smooth(
        [
            (-0.66, 0),
            (-0.2, -0.1),
            (0.4, -0.2),
            (0.6, 0.1),
            (0.44, 0.46),
            (-0.1, 0.36),
            (-0.6, 0.42),
        ],
        closed=True,
    )
    pen.polygon(trunk, fur)
    if rng.random() < 0.5:
        patches(pen, trunk, mark, rng, count=4, size=0.18)
    pen.polygon([(0.3, 0.1), (0.32, -0.5), (0.66, -0.4), (0.62, 0.2)], fur)
    pen.ellipse(0.52, -0.52, 0.33, 0.28, fur)
    pen.rectangle(0.56, -0.54, 0.99, -0.3, paint.lighter(fur, 0.25), radius=0.1)
    pen.ellipse(0.95, -0.5, 0.075, 0.06, paint.BLACK)
    pen.line([(0.7, -0.36), (0.94, -0.37)], 0.025, paint.BLACK)
    eye(pen, 0.62, -0.6, 0.06)
    pen.blob(
        [
            (0.36, -0.78),
            (0.5, -0.66),
            (0.42, -0.24),
            (0.22, -0.28),
            (0.2, -0.6),
        ],
        mark,
    )
    pen.line([(0.34, -0.08), (0.62, -0.06)], 0.09, paint.vivid(rng))
    return pen
