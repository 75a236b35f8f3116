"""Animals of the farm, from the side."""

import numpy as np

from tfrecords_tools.synthetic import paint
from tfrecords_tools.synthetic.objects.legs import FURS, PINK, Legs, add_legs
from tfrecords_tools.synthetic.outlines import smooth
from tfrecords_tools.synthetic.parts import (
    eye,
    ground_shadow,
    patches,
)
from tfrecords_tools.synthetic.vector import Sketch


def horse(rng: np.random.Generator) -> Sketch:
    """Standing, long neck and mane, head to the right."""
    fur = paint.near(rng, paint.one_of(rng, FURS[:5]), 0.05)
    pen, mane = Sketch(), paint.darker(fur, 0.55)
    ground_shadow(pen, 0.8)
    pen.curve([(-0.62, -0.1), (-0.86, 0.1), (-0.84, 0.6)], 0.14, mane)
    add_legs(pen, Legs(0.2, 0.13, fur, paint.BLACK), 0.5)
    pen.blob(
        [
            (-0.68, 0.0),
            (-0.4, -0.18),
            (0.1, -0.1),
            (0.46, -0.2),
            (0.6, 0.1),
            (0.44, 0.36),
            (-0.1, 0.38),
            (-0.56, 0.34),
        ],
        fur,
    )
    pen.polygon([(0.24, 0.0), (0.42, -0.78), (0.7, -0.72), (0.62, 0.12)], fur)
    pen.polygon(
        [
            (0.42, -0.86),
            (0.66, -0.86),
            (1.0, -0.46),
            (0.9, -0.32),
            (0.56, -0.5),
        ],
        fur,
    )
    pen.polygon([(0.46, -0.8), (0.5, -1), (0.6, -0.84)], fur)
    pen.polygon(
        [(0.54, -0.92), (0.4, -0.88), (0.18, -0.08), (0.34, -0.1)], mane
    )
    pen.ellipse(0.92, -0.41, 0.1, 0.09, paint.darker(fur, 0.3))
    eye(pen, 0.65, -0.69, 0.045)
    return pen


def cow(rng: np.random.Generator) -> Sketch:
    """Standing, horned and patched, head to the right."""
    pen = Sketch()
    hide = (
        paint.WHITE
        if rng.random() < 0.6
        else paint.near(rng, (150, 92, 58), 0.06)
    )
    spot = paint.BLACK if rng.random() < 0.6 else (130, 76, 46)
    ground_shadow(pen, 0.9)
    pen.curve([(-0.78, -0.2), (-0.92, 0.1), (-0.88, 0.5)], 0.05, hide)
    pen.circle(-0.88, 0.54, 0.07, spot)
    add_legs(pen, Legs(0.3, 0.15, paint.darker(hide, 0.08), paint.BLACK), 0.58)
    trunk = smooth(
        [
            (-0.8, -0.3),
            (0, -0.32),
            (0.58, -0.34),
            (0.62, 0.2),
            (0.3, 0.5),
            (-0.4, 0.48),
            (-0.78, 0.34),
        ],
        closed=True,
    )
    pen.polygon(trunk, hide)
    patches(pen, trunk, spot, rng, count=5, size=0.22)
    pen.ellipse(-0.36, 0.5, 0.16, 0.1, PINK)
    for x, y in ((0.5, -0.78), (0.86, -0.76)):
        pen.polygon([(x, y), (0.62, -0.5), (0.74, -0.5)], (226, 214, 180))
    pen.ellipse(0.44, -0.5, 0.14, 0.07, spot)
    pen.polygon([(0.5, -0.6), (0.86, -0.6), (0.9, -0.1), (0.56, -0.1)], hide)
    pen.polygon([(0.5, -0.6), (0.66, -0.6), (0.62, -0.2)], spot)
    pen.ellipse(0.74, -0.1, 0.22, 0.15, PINK)
    for x in (0.67, 0.83):
        pen.circle(x, -0.1, 0.035, paint.BLACK)
        eye(pen, x - 0.01, -0.4, 0.045)
    return pen


def sheep(rng: np.random.Generator) -> Sketch:
    """A woolly cloud on thin legs, dark or light face to the right."""
    pen = Sketch()
    wool = paint.near(rng, (236, 230, 216), 0.05)
    face = paint.one_of(rng, ((56, 50, 50), (226, 206, 184), (104, 82, 70)))
    ground_shadow(pen, 0.75)
    add_legs(pen, Legs(0.4, 0.11, face, paint.BLACK), 0.42)
    turns = 2 * np.pi * np.arange(11) / 11
    for x, y in zip(0.58 * np.cos(turns), 0.36 * np.sin(turns), strict=True):
        pen.circle(x - 0.06, y + 0.1, 0.24, paint.darker(wool, 0.1))
    pen.ellipse(-0.06, 0.08, 0.66, 0.46, wool)
    for x, y in rng.uniform((-0.5, -0.2), (0.4, 0.4), (7, 2)):
        pen.arc(x, y, 0.1, 0.08, 0, 0.5, 0.025, paint.darker(wool, 0.2))
    pen.ellipse(0.5, -0.16, 0.16, 0.07, face, angle=0.5)
    pen.ellipse(0.72, -0.08, 0.22, 0.29, face, angle=-0.4)
    pen.circle(0.6, -0.34, 0.17, wool)
    eye(pen, 0.74, -0.14, 0.05, white=paint.WHITE)
    return pen
