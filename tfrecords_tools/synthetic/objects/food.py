"""Food, as it lies on a table."""

import numpy as np

from tfrecords_tools.synthetic import paint
from tfrecords_tools.synthetic.outlines import ellipse_points, smooth
from tfrecords_tools.synthetic.parts import patches
from tfrecords_tools.synthetic.vector import Sketch

_GLOSS = paint.veil(paint.WHITE, 0.4)


def apple(rng: np.random.Generator) -> Sketch:
    """Red, yellow or green, dented at the stalk, with a leaf."""
    pen = Sketch()
    skin = paint.near(
        rng,
        paint.one_of(rng, ((206, 40, 44), (228, 188, 60), (134, 182, 56))),
        0.07,
    )
    body = smooth(
        [
            (0, -0.52),
            (0.44, -0.68),
            (0.88, -0.36),
            (0.84, 0.3),
            (0.46, 0.92),
            (0, 0.84),
            (-0.46, 0.92),
            (-0.84, 0.3),
            (-0.88, -0.36),
            (-0.44, -0.68),
        ],
        closed=True,
    )
    pen.polygon(body, skin)
    with pen.clipped(body):
        pen.ellipse(0.5, 0.5, 0.6, 0.7, paint.veil(paint.darker(skin), 0.4))
    pen.curve([(0, -0.48), (0.04, -0.76), (0.14, -0.94)], 0.09, paint.WOOD)
    pen.blob(
        [(0.08, -0.72), (0.36, -0.98), (0.7, -0.86), (0.4, -0.68)], paint.LEAF
    )
    pen.ellipse(-0.44, -0.26, 0.14, 0.24, _GLOSS, angle=0.4)
    return pen


def banana(rng: np.random.Generator) -> Sketch:
    """One fruit, or a hand of three."""
    pen = Sketch()
    peel = paint.near(rng, (244, 208, 66), 0.07)
    count = int(rng.choice([1, 3]))
    for i in range(count):
        sag, tint = 0.28 * (count - 1 - i), paint.darker(peel, 0.1 * i)
        pen.blob(
            [
                (-0.86, -0.66),
                (-0.62, 0.02 - 0.4 * sag),
                (0, 0.4 - 0.9 * sag),
                (0.6, 0.16 - sag),
                (0.94, -0.3 - sag),
                (0.86, 0.2 - sag),
                (0.4, 0.72 - sag),
                (-0.3, 0.72 - sag),
                (-0.82, 0.3 - 0.6 * sag),
                (-0.98, -0.4),
            ],
            tint,
        )
        pen.curve(
            [
                (-0.8, -0.3),
                (-0.5, 0.28 - 0.6 * sag),
                (0, 0.56 - sag),
                (0.6, 0.36 - sag),
            ],
            0.035,
            paint.darker(tint, 0.22),
        )
        pen.circle(0.92, -0.24 - sag, 0.07, (92, 68, 40))
    pen.line([(-0.92, -0.5), (-0.86, -0.82)], 0.16, (150, 132, 50))
    return pen


def orange(rng: np.random.Generator) -> Sketch:
    """Whole with pores, or cut open."""
    pen = Sketch()
    peel = paint.near(rng, (244, 146, 34), 0.05)
    pen.circle(0, 0, 0.96, peel)
    if rng.random() < 0.5:
        for x, y in rng.uniform(-0.6, 0.6, (14, 2)):
            pen.circle(x, y, 0.035, paint.darker(peel, 0.2))
        pen.circle(0.08, -0.66, 0.1, (96, 130, 50))
        pen.ellipse(-0.4, -0.4, 0.22, 0.15, _GLOSS, angle=-0.7)
        return pen
    pen.circle(0, 0, 0.84, (255, 236, 196))
    turn = rng.random()
    for start in turn + np.arange(9) / 9:
        pen.sector(0, 0, 0.74, 0.74, start, start + 0.09, (250, 166, 60))
    pen.circle(0, 0, 0.1, (255, 236, 196))
    return pen


def pizza(rng: np.random.Generator) -> Sketch:
    """Round, with sausage, olives and leaves; a slice may be missing."""
    pen = Sketch()
    start = rng.random()
    end = start + (1 if rng.random() < 0.5 else 0.86)
    pen.sector(0, 0, 0.98, 0.98, start, end, (198, 138, 72))
    pen.sector(0, 0, 0.84, 0.84, start, end, (196, 66, 40))
    pen.sector(0, 0, 0.79, 0.79, start, end, (246, 206, 104))
    turns = rng.permutation(np.linspace(start + 0.05, end - 0.07, 13))
    for i, turn in enumerate(2 * np.pi * turns):
        radius = rng.uniform(0.3, 0.68)
        x, y = radius * np.cos(turn), radius * np.sin(turn)
        if i % 3 == 0:
            pen.circle(x, y, 0.14, (184, 46, 40))
            pen.circle(x - 0.03, y - 0.03, 0.09, (206, 74, 62))
        elif i % 3 == 1:
            pen.circle(x, y, 0.08, paint.BLACK)
            pen.circle(x, y, 0.03, (246, 206, 104))
        else:
            pen.ellipse(x, y, 0.12, 0.05, paint.LEAF, angle=turn)
    return pen


def mushroom(rng: np.random.Generator) -> Sketch:
    """A spotted or brown cap on a pale stem."""
    pen = Sketch()
    cap = paint.near(
        rng,
        paint.one_of(rng, ((206, 46, 40), (168, 108, 66), (220, 176, 120))),
        0.06,
    )
    stem = (240, 228, 206)
    pen.blob(
        [
            (-0.22, 0),
            (0.22, 0),
            (0.26, 0.6),
            (0.36, 0.94),
            (0, 1),
            (-0.36, 0.94),
            (-0.26, 0.6),
        ],
        stem,
    )
    pen.ellipse(0, 0.24, 0.3, 0.08, paint.darker(stem, 0.15))
    pen.ellipse(0, 0.04, 0.9, 0.16, paint.darker(stem, 0.2))
    dome = smooth(
        [
            (-0.98, 0.04),
            (-0.78, -0.56),
            (0, -0.96),
            (0.78, -0.56),
            (0.98, 0.04),
            (0, -0.04),
        ],
        closed=True,
    )
    pen.polygon(dome, cap)
    if cap[1] < 90:
        patches(pen, dome, paint.WHITE, rng, count=8, size=0.13)
    pen.ellipse(-0.4, -0.56, 0.2, 0.1, _GLOSS, angle=-0.6)
    return pen


def cake(rng: np.random.Generator) -> Sketch:
    """A round cake with icing that runs down, and candles or a cherry."""
    pen, icing = Sketch(), paint.lighter(paint.vivid(rng), 0.25)
    dough = paint.one_of(rng, ((112, 68, 42), (232, 190, 124)))
    pen.ellipse(0, 0.82, 1, 0.17, paint.WHITE)
    pen.rectangle(-0.8, -0.1, 0.8, 0.8, dough)
    pen.ellipse(0, 0.78, 0.8, 0.16, dough)
    pen.rectangle(-0.8, 0.36, 0.8, 0.46, paint.lighter(icing, 0.5))
    for x in np.arange(-0.7, 0.75, 0.2):
        drop = rng.uniform(0.08, 0.34)
        pen.line([(x, -0.1), (x, drop)], 0.2, icing)
    pen.polygon(ellipse_points(0, -0.1, 0.82, 0.2), paint.lighter(icing, 0.2))
    if rng.random() < 0.5:
        pen.circle(0, -0.26, 0.15, (206, 30, 50))
        return pen
    for x in (-0.42, 0.0, 0.42):
        pen.rectangle(x - 0.05, -0.62, x + 0.05, -0.1, paint.vivid(rng))
        pen.ellipse(x, -0.76, 0.065, 0.13, (255, 214, 90))
    return pen
