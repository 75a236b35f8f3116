"""Small things of the house, and a plant in its pot."""

import numpy as np

from tfrecords_tools.synthetic import paint
from tfrecords_tools.synthetic.affine import pose
from tfrecords_tools.synthetic.outlines import smooth
from tfrecords_tools.synthetic.parts import dots, stripes
from tfrecords_tools.synthetic.vector import Sketch


def book(rng: np.random.Generator) -> Sketch:
    """Closed, with title bars; pages show on the right and below."""
    pen, cover = Sketch(), paint.vivid(rng)
    pen.rectangle(
        -0.68, -0.92, 0.76, 0.98, paint.darker(cover, 0.3), radius=0.05
    )
    pen.rectangle(-0.62, -0.86, 0.72, 0.92, (240, 234, 218))
    pen.rectangle(-0.72, -0.98, 0.64, 0.84, cover, radius=0.04)
    pen.rectangle(-0.72, -0.98, -0.54, 0.84, paint.darker(cover, 0.25))
    ink = paint.lighter(cover, 0.75)
    pen.rectangle(-0.38, -0.7, 0.48, -0.54, ink)
    pen.rectangle(-0.26, -0.42, 0.36, -0.32, ink)
    if rng.random() < 0.5:
        pen.circle(0.05, 0.25, 0.28, ink)
    else:
        pen.polygon([(0.05, 0), (0.36, 0.5), (-0.26, 0.5)], ink)
    return pen


def bottle(rng: np.random.Generator) -> Sketch:
    """Glass with a neck, a cap and a label."""
    pen = Sketch()
    glass = paint.hsv(
        rng.choice([0.33, 0.08, 0.55, 0.95]),
        rng.uniform(0.4, 0.8),
        rng.uniform(0.3, 0.75),
    )
    half = rng.uniform(0.27, 0.36)
    body = [
        (-0.11, -0.8),
        (0.11, -0.8),
        (0.12, -0.46),
        (half, -0.12),
        (half, 0.88),
        (0.8 * half, 0.98),
        (-0.8 * half, 0.98),
        (-half, 0.88),
        (-half, -0.12),
        (-0.12, -0.46),
    ]
    pen.polygon(body, glass)
    pen.rectangle(-0.14, -0.98, 0.14, -0.78, paint.vivid(rng), radius=0.03)
    label = paint.lighter(paint.pastel(rng), 0.4)
    pen.rectangle(-half, 0.14, half, 0.64, label)
    pen.rectangle(-0.7 * half, 0.26, 0.7 * half, 0.36, paint.vivid(rng))
    pen.rectangle(-0.5 * half, 0.46, 0.5 * half, 0.52, paint.GREY)
    pen.line(
        [(-0.6 * half, -0.06), (-0.6 * half, 0.8)],
        0.06,
        paint.veil(paint.WHITE, 0.45),
    )
    return pen


def mug(rng: np.random.Generator) -> Sketch:
    """A straight cup with an ear, drink inside."""
    pen, china = Sketch(), paint.vivid(rng)
    if rng.random() < 0.35:
        china = paint.WHITE
    pen.arc(0.5, 0.16, 0.36, 0.36, -0.25, 0.25, 0.15, paint.darker(china, 0.1))
    body = [
        (-0.74, -0.62),
        (0.56, -0.62),
        (0.5, 0.84),
        (0.36, 0.96),
        (-0.54, 0.96),
        (-0.68, 0.84),
    ]
    pen.polygon(body, china)
    ink = paint.darker(china, 0.4) if china == paint.WHITE else paint.WHITE
    kind = rng.integers(3)
    if kind == 0:
        stripes(pen, body, ink, period=0.5, width=0.16, angle=np.pi / 2)
    elif kind == 1:
        dots(pen, body, ink, period=0.36, radius=0.08)
    pen.ellipse(-0.09, -0.62, 0.65, 0.2, paint.lighter(china, 0.35))
    drink = paint.one_of(rng, ((86, 52, 30), (190, 120, 50), (120, 160, 60)))
    pen.ellipse(-0.09, -0.59, 0.55, 0.14, drink)
    return pen


def houseplant(rng: np.random.Generator) -> Sketch:
    """Leaves fanning out of a clay pot."""
    pen = Sketch()
    leaf = paint.near(rng, paint.LEAF, 0.12)
    count = int(rng.integers(7, 11))
    for turn in rng.permutation(np.linspace(-1.25, 1.25, count)):
        length = rng.uniform(0.75, 1.15)
        tint = paint.mix(leaf, paint.WHITE, rng.uniform(0, 0.3))
        with pen.posed(pose(0, 0.2, angle=turn)):
            pen.blob(
                [
                    (0, 0),
                    (-0.16, -0.6 * length),
                    (0, -length),
                    (0.16, -0.6 * length),
                ],
                tint,
            )
            pen.line(
                [(0, 0), (0, -0.9 * length)], 0.025, paint.darker(tint, 0.25)
            )
    clay = paint.near(rng, (190, 104, 66), 0.14)
    pen.polygon(
        [(-0.42, 0.24), (0.42, 0.24), (0.32, 0.98), (-0.32, 0.98)], clay
    )
    pen.rectangle(-0.5, 0.12, 0.5, 0.34, paint.darker(clay, 0.15), radius=0.04)
    return pen


def key(rng: np.random.Generator) -> Sketch:
    """A door key: a ring, a shaft, a bit with teeth."""
    pen = Sketch()
    metal = paint.near(
        rng,
        paint.one_of(rng, ((214, 172, 74), paint.STEEL, (176, 112, 66))),
        0.06,
    )
    pen.arc(-0.58, 0, 0.3, 0.32, 0, 1, 0.2, metal)
    pen.rectangle(-0.24, -0.09, 0.98, 0.09, metal, radius=0.04)
    depth = rng.uniform(0.3, 0.42)
    for x in (0.5, 0.72, 0.9):
        pen.rectangle(x - 0.075, 0, x + 0.075, depth, metal)
        depth = rng.uniform(0.24, 0.44)
    pen.rectangle(-0.2, -0.14, -0.08, 0.14, paint.darker(metal, 0.2))
    pen.line([(-0.02, -0.03), (0.9, -0.03)], 0.03, paint.lighter(metal, 0.5))
    return pen


def fork(rng: np.random.Generator) -> Sketch:
    """Four tines up, a handle of steel or of colour."""
    pen = Sketch()
    metal = paint.near(rng, paint.STEEL, 0.06)
    for x in (-0.24, -0.08, 0.08, 0.24):
        pen.line([(x, -0.93), (x, -0.36)], 0.085, metal)
    pen.polygon(
        smooth(
            [
                (-0.285, -0.45),
                (0.285, -0.45),
                (0.2, -0.12),
                (0.07, 0.02),
                (-0.07, 0.02),
                (-0.2, -0.12),
            ],
            closed=True,
        ),
        metal,
    )
    pen.rectangle(-0.06, -0.1, 0.06, 0.4, metal)
    grip = metal if rng.random() < 0.5 else paint.vivid(rng)
    pen.rectangle(-0.12, 0.22, 0.12, 0.99, grip, radius=0.11)
    pen.line([(-0.03, 0.32), (-0.03, 0.86)], 0.03, paint.lighter(grip, 0.5))
    return pen
