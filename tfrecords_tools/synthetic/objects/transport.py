"""What carries people on rails, water and air, from the side."""

import numpy as np

from tfrecords_tools.synthetic import paint
from tfrecords_tools.synthetic.outlines import smooth
from tfrecords_tools.synthetic.parts import stripes
from tfrecords_tools.synthetic.vector import Sketch

_LAMP = (255, 226, 140)
_TAIL = (206, 44, 40)


def train(rng: np.random.Generator) -> Sketch:
    """A railcar with a sloping nose to the right, on its rails."""
    pen, body = Sketch(), paint.vivid(rng)
    stripe = paint.one_of(rng, (paint.WHITE, (250, 206, 60), paint.BLACK))
    pen.rectangle(-1, 0.86, 1, 1, (116, 104, 94))
    pen.rectangle(-1, 0.86, 1, 0.9, paint.STEEL)
    hull = smooth(
        [
            (-1, -0.3),
            (0.3, -0.32),
            (0.72, -0.1),
            (0.97, 0.4),
            (0.93, 0.74),
            (0.4, 0.78),
            (-1, 0.78),
        ],
        closed=False,
    )
    pen.polygon(hull, body)
    with pen.clipped(hull):
        pen.rectangle(-1, 0.36, 1, 0.5, stripe)
        pen.rectangle(-1, -0.4, 1, -0.22, paint.STEEL)
        pen.polygon(
            [(0.5, -0.14), (0.74, -0.14), (0.96, 0.22), (0.5, 0.22)],
            paint.BLACK,
        )
        pen.rectangle(-1, 0.68, 1, 0.9, paint.darker(body, 0.5))
    glass = paint.mix(paint.GLASS, paint.BLACK, rng.uniform(0, 0.35))
    for x in np.arange(-0.9, 0.3, 0.27):
        pen.rectangle(x, -0.08, x + 0.19, 0.24, glass, radius=0.04)
    pen.circle(0.88, 0.58, 0.06, _LAMP)
    for x in (-0.75, -0.45, 0.25, 0.55):
        pen.circle(x, 0.8, 0.1, paint.BLACK)
    return pen


def boat(rng: np.random.Generator) -> Sketch:
    """A sailing boat or a small motor boat."""
    pen, hull = Sketch(), paint.vivid(rng)
    if rng.random() < 0.6:
        sail = paint.one_of(rng, (paint.WHITE, (250, 232, 196), (240, 90, 70)))
        pen.line([(0.02, 0.55), (0.02, -0.98)], 0.05, paint.WOOD)
        main = [(-0.03, -0.92), (-0.03, 0.42), (-0.82, 0.42)]
        pen.polygon(main, sail)
        pen.polygon(
            [(0.07, -0.75), (0.07, 0.42), (0.72, 0.42)],
            paint.darker(sail, 0.12),
        )
        if rng.random() < 0.5:
            stripes(pen, main, hull, period=0.4, width=0.12, angle=np.pi / 2)
    else:
        pen.rectangle(-0.45, 0.05, 0.3, 0.6, paint.WHITE, radius=0.08)
        for x in (-0.34, -0.06):
            pen.rectangle(x, 0.16, x + 0.2, 0.34, paint.GLASS)
        pen.rectangle(-0.3, -0.24, -0.14, 0.06, hull)
        pen.rectangle(-0.3, -0.24, -0.14, -0.14, paint.BLACK)
    body = [
        (-1, 0.5),
        (1, 0.44),
        (0.78, 0.86),
        (0.6, 0.97),
        (-0.72, 0.97),
        (-0.9, 0.8),
    ]
    pen.polygon(body, hull)
    with pen.clipped(body):
        pen.rectangle(-1, 0.4, 1, 0.6, paint.WHITE)
        pen.rectangle(-1, 0.86, 1, 1, paint.darker(hull))
    return pen


def airplane(rng: np.random.Generator) -> Sketch:
    """An airliner in flight, nose to the right."""
    pen = Sketch()
    skin = paint.hsv(rng.random(), rng.uniform(0, 0.12), rng.uniform(0.8, 1))
    livery = paint.vivid(rng)
    pen.polygon(
        [(-0.02, -0.02), (-0.3, -0.52), (-0.16, -0.54), (0.3, 0)],
        paint.darker(skin, 0.35),
    )
    pen.polygon(
        [(-0.92, -0.05), (-1, -0.55), (-0.8, -0.55), (-0.5, -0.1)], livery
    )
    hull = smooth(
        [
            (-0.98, -0.12),
            (-0.4, -0.16),
            (0.5, -0.16),
            (0.84, -0.06),
            (1, 0.07),
            (0.84, 0.16),
            (0.3, 0.2),
            (-0.4, 0.14),
        ],
        closed=True,
    )
    pen.polygon(hull, skin)
    with pen.clipped(hull):
        pen.rectangle(-1, 0.08, 1, 0.3, livery)
        pen.polygon([(0.78, -0.12), (1, -0.02), (0.8, 0.0)], paint.BLACK)
    for x in np.arange(-0.6, 0.68, 0.15):
        pen.circle(x, -0.02, 0.035, paint.BLACK)
    pen.polygon(
        [(0.24, 0.1), (-0.28, 0.62), (-0.46, 0.62), (-0.14, 0.1)],
        paint.darker(skin, 0.22),
    )
    pen.ellipse(-0.02, 0.34, 0.16, 0.075, livery)
    pen.polygon(
        [(-0.68, 0), (-0.96, 0.24), (-1, 0.22), (-0.88, 0)],
        paint.darker(skin, 0.22),
    )
    return pen
