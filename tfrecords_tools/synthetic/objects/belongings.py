"""Things that people carry with them."""

import numpy as np

from tfrecords_tools.synthetic import paint
from tfrecords_tools.synthetic.affine import pose
from tfrecords_tools.synthetic.outlines import arc_points, smooth
from tfrecords_tools.synthetic.vector import Sketch


def umbrella(rng: np.random.Generator) -> Sketch:
    """Open, of two colours in turn, with a hooked handle."""
    pen, cloth = Sketch(), paint.vivid(rng)
    other = paint.vivid(rng) if rng.random() < 0.5 else paint.WHITE
    pen.line([(0, -0.96), (0, 0.78)], 0.06, paint.BLACK)
    pen.arc(-0.15, 0.78, 0.15, 0.17, 0, 0.5, 0.08, paint.WOOD)
    dome = np.concatenate(
        [
            arc_points(0, 0.02, 1, 0.9, 0.5, 1),
            *(
                arc_points(x, 0.02, 0.25, 0.1, 1, 0.5)
                for x in (0.75, 0.25, -0.25, -0.75)
            ),
        ]
    )
    pen.polygon(dome, cloth)
    with pen.clipped(dome):
        for low, high in ((-1.1, -0.5), (0, 0.5)):
            pen.blob([(0, -0.95), (low, 0.1), (high, 0.1)], other)
    return pen


def hat(rng: np.random.Generator) -> Sketch:
    """A crown with a ribbon above a wide brim."""
    pen, felt = Sketch(), paint.near(rng, paint.vivid(rng), 0.1)
    if rng.random() < 0.5:
        felt = paint.near(rng, (206, 172, 112), 0.1)
    pen.ellipse(0, 0.42, 1, 0.26, paint.darker(felt, 0.22))
    pen.ellipse(0, 0.36, 1, 0.23, felt)
    crown = smooth(
        [
            (-0.54, 0.38),
            (-0.5, -0.3),
            (-0.24, -0.6),
            (0, -0.48),
            (0.24, -0.6),
            (0.5, -0.3),
            (0.54, 0.38),
            (0, 0.5),
        ],
        closed=True,
    )
    pen.polygon(crown, paint.lighter(felt, 0.1))
    with pen.clipped(crown):
        pen.ellipse(0, 0.04, 0.9, 0.34, paint.darker(felt, 0.65))
        pen.ellipse(0, -0.18, 0.9, 0.3, paint.lighter(felt, 0.1))
    return pen


def guitar(rng: np.random.Generator) -> Sketch:
    """An acoustic guitar, neck up."""
    pen = Sketch()
    wood = paint.near(rng, (206, 138, 66), 0.14)
    body = [
        (0, -0.14),
        (0.36, -0.06),
        (0.3, 0.26),
        (0.56, 0.6),
        (0.32, 0.96),
        (0, 1),
        (-0.32, 0.96),
        (-0.56, 0.6),
        (-0.3, 0.26),
        (-0.36, -0.06),
    ]
    pen.blob(body, paint.darker(wood, 0.45))
    with pen.posed(pose(0, 0.05, 0.89)):
        pen.blob(body, wood)
    pen.rectangle(-0.075, -0.78, 0.075, 0.3, paint.darker(wood, 0.65))
    pen.polygon(
        [(-0.1, -0.78), (-0.14, -1), (0.14, -1), (0.1, -0.78)],
        paint.darker(wood, 0.5),
    )
    for x in (-0.17, 0.17):
        for y in (-0.95, -0.85):
            pen.circle(x, y, 0.045, paint.STEEL)
    pen.circle(0, 0.36, 0.16, paint.BLACK)
    pen.rectangle(-0.2, 0.68, 0.2, 0.75, paint.darker(wood, 0.65))
    for x in (-0.03, 0.03):
        pen.line([(x, -0.8), (x, 0.7)], 0.014, paint.WHITE)
    return pen
