"""Animals without four legs: bird and fish."""

import numpy as np

from tfrecords_tools.synthetic import paint
from tfrecords_tools.synthetic.outlines import ellipse_points, smooth
from tfrecords_tools.synthetic.parts import (
    eye,
    stripes,
)
from tfrecords_tools.synthetic.vector import Sketch


def bird(rng: np.random.Generator) -> Sketch:
    """A songbird on two legs, beak to the right."""
    pen, plume = Sketch(), paint.vivid(rng)
    belly = paint.lighter(paint.near(rng, plume, 0.3), 0.45)
    wing = paint.darker(plume, 0.35)
    for x in (-0.02, 0.16):
        pen.line([(x, 0.5), (x + 0.04, 0.96)], 0.05, (190, 120, 60))
        pen.line([(x - 0.08, 0.97), (x + 0.16, 0.97)], 0.05, (190, 120, 60))
    pen.polygon([(-0.4, 0.2), (-1, 0.5), (-0.92, 0.68), (-0.3, 0.46)], wing)
    body = smooth(
        [
            (-0.56, 0.28),
            (-0.2, -0.16),
            (0.1, -0.56),
            (0.44, -0.68),
            (0.68, -0.42),
            (0.54, 0.04),
            (0.4, 0.46),
            (0, 0.62),
        ],
        closed=True,
    )
    pen.polygon(body, plume)
    with pen.clipped(body):
        pen.ellipse(0.38, 0.4, 0.44, 0.5, belly, angle=-0.3)
    pen.polygon([(0.64, -0.5), (0.98, -0.36), (0.64, -0.28)], (240, 168, 50))
    pen.blob(
        [
            (-0.66, 0.36),
            (-0.24, -0.06),
            (0.2, -0.02),
            (0.16, 0.28),
            (-0.24, 0.44),
        ],
        wing,
    )
    for y in (0.14, 0.26):
        pen.line([(-0.3, y + 0.1), (0.1, y)], 0.025, plume)
    eye(pen, 0.46, -0.45, 0.065, white=paint.WHITE)
    return pen


def fish(rng: np.random.Generator) -> Sketch:
    """Side view, head to the right, often banded."""
    pen, scales = Sketch(), paint.vivid(rng)
    fin = paint.near(rng, paint.darker(scales, 0.25), 0.15)
    pen.blob([(-0.5, 0), (-0.98, -0.44), (-0.84, 0), (-0.98, 0.44)], fin)
    pen.blob([(-0.2, -0.32), (0, -0.68), (0.36, -0.5), (0.4, -0.3)], fin)
    pen.polygon([(0, 0.34), (-0.2, 0.62), (0.26, 0.42)], fin)
    body = ellipse_points(0.16, 0, 0.8, 0.44)
    pen.polygon(body, scales)
    if rng.random() < 0.6:
        band = paint.lighter(scales, 0.6)
        stripes(pen, body, band, period=rng.uniform(0.3, 0.5), width=0.13)
    with pen.clipped(body):
        pen.ellipse(0.2, 0.4, 0.8, 0.22, paint.lighter(scales, 0.45))
    pen.arc(0.4, 0, 0.12, 0.28, -0.25, 0.25, 0.03, fin)
    pen.polygon([(0.2, 0.02), (-0.12, 0.2), (0.24, 0.22)], fin)
    eye(pen, 0.68, -0.1, 0.08, white=paint.WHITE)
    return pen
