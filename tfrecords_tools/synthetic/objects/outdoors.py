"""What stands outside: plants, signs, a house."""

import numpy as np

from tfrecords_tools.synthetic import paint
from tfrecords_tools.synthetic.parts import ground_shadow
from tfrecords_tools.synthetic.vector import Sketch


def tree(rng: np.random.Generator) -> Sketch:
    """A round crown, with fruit or without, or a fir."""
    pen = Sketch()
    leaf = paint.near(rng, paint.LEAF, 0.12)
    if rng.random() < 0.2:
        leaf = paint.near(rng, (206, 124, 48), 0.1)
    ground_shadow(pen, 0.6)
    pen.polygon(
        [(-0.12, 0.98), (-0.08, 0.2), (0.08, 0.2), (0.12, 0.98)], paint.WOOD
    )
    if rng.random() < 0.35:
        for y, half in ((0.62, 0.66), (0.2, 0.54), (-0.22, 0.4)):
            layer = paint.lighter(leaf, 0.1 * (0.62 - y))
            pen.polygon([(-half, y), (0, y - 0.76), (half, y)], layer)
        return pen
    for x, y, radius, tint in (
        (-0.4, 0.06, 0.38, 0.18),
        (0.42, 0.04, 0.36, 0.18),
        (-0.26, -0.42, 0.42, 0.06),
        (0.3, -0.4, 0.4, 0.06),
        (0, -0.1, 0.5, 0.0),
        (0.02, -0.62, 0.36, 0.0),
    ):
        pen.circle(x, y, radius, paint.darker(leaf, tint))
    light = paint.lighter(leaf, 0.15)
    fruit = (208, 40, 44) if rng.random() < 0.3 else light
    for x, y in rng.uniform((-0.55, -0.75), (0.55, 0.2), (9, 2)):
        pen.circle(x, y, 0.075, fruit)
    return pen


def house(rng: np.random.Generator) -> Sketch:
    """Walls, a pitched roof, a door, windows, a chimney."""
    pen, wall = Sketch(), paint.lighter(paint.muted(rng), 0.3)
    roof = paint.near(
        rng,
        paint.one_of(rng, ((172, 66, 48), (92, 84, 92), (128, 82, 56))),
        0.06,
    )
    pen.rectangle(0.36, -0.86, 0.56, -0.3, paint.darker(roof, 0.3))
    pen.rectangle(-0.82, -0.18, 0.82, 0.98, wall)
    pen.polygon([(-0.98, -0.14), (0, -0.94), (0.98, -0.14)], roof)
    pen.circle(0, -0.42, 0.13, paint.GLASS)
    door = paint.vivid(rng)
    at = rng.choice([-0.5, 0.0, 0.5])
    for x in (-0.5, 0.0, 0.5):
        if x == at:
            pen.rectangle(x - 0.16, 0.34, x + 0.16, 0.98, door)
            pen.circle(x + 0.1, 0.68, 0.03, paint.BLACK)
            continue
        pen.rectangle(x - 0.19, 0.1, x + 0.19, 0.56, paint.WHITE)
        for dx in (-0.15, 0.02):
            pen.rectangle(x + dx, 0.14, x + dx + 0.13, 0.52, paint.GLASS)
    return pen


def flower(rng: np.random.Generator) -> Sketch:
    """A round blossom or a tulip on a leafy stem."""
    pen, petal = Sketch(), paint.vivid(rng)
    stem = paint.near(rng, paint.LEAF, 0.08)
    pen.curve([(0, -0.3), (0.06, 0.3), (0, 0.98)], 0.07, stem)
    pen.blob([(0.03, 0.72), (0.3, 0.3), (0.56, 0.28), (0.36, 0.6)], stem)
    pen.blob(
        [(0.02, 0.84), (-0.3, 0.44), (-0.52, 0.46), (-0.3, 0.74)],
        paint.darker(stem, 0.15),
    )
    if rng.random() < 0.3:
        pen.blob(
            [
                (-0.4, -0.92),
                (-0.16, -0.7),
                (0, -0.98),
                (0.16, -0.7),
                (0.4, -0.92),
                (0.36, -0.36),
                (0, -0.12),
                (-0.36, -0.36),
            ],
            petal,
        )
        pen.blob(
            [(0, -0.9), (0.17, -0.5), (0, -0.16), (-0.17, -0.5)],
            paint.lighter(petal, 0.2),
        )
        return pen
    count = int(rng.integers(5, 10))
    for turn in 2 * np.pi * np.arange(count) / count:
        x, y = 0.32 * np.cos(turn), 0.32 * np.sin(turn) - 0.42
        pen.ellipse(x, y, 0.24, 0.9 / count + 0.02, petal, angle=turn)
    pen.circle(0, -0.42, 0.2, (246, 196, 62))
    return pen


def traffic_light(rng: np.random.Generator) -> Sketch:
    """Three lamps in a dark box on a pole; one of them is lit."""
    pen = Sketch()
    pen.rectangle(-0.06, 0.3, 0.06, 1, (92, 96, 100))
    pen.rectangle(-0.34, -0.98, 0.34, 0.44, (40, 44, 46), radius=0.1)
    lit = rng.integers(3)
    lamps = ((238, 52, 44), (250, 192, 50), (70, 214, 100))
    for i, (y, colour) in enumerate(
        zip((-0.7, -0.27, 0.16), lamps, strict=True)
    ):
        shown = colour if i == lit else paint.darker(colour, 0.7)
        if i == lit:
            pen.circle(0, y, 0.3, paint.veil(colour, 0.3))
        pen.circle(0, y, 0.19, shown)
    return pen


def stop_sign(rng: np.random.Generator) -> Sketch:
    """A red octagon with a white rim and four letters, on a pole."""
    pen, red = Sketch(), paint.near(rng, (196, 30, 38), 0.05)
    pen.rectangle(-0.055, 0.2, 0.055, 1, paint.STEEL)
    turns = 2 * np.pi * (np.arange(8) + 0.5) / 8
    octagon = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    for radius, colour in ((0.66, paint.WHITE), (0.59, red)):
        pen.polygon(radius * octagon + (0, -0.34), colour)
    letters = ((-0.38, "S"), (-0.14, "T"), (0.12, "O"), (0.36, "P"))
    for x, letter in letters:
        _letter(pen, x, letter)
    return pen


def _letter(pen: Sketch, x: float, letter: str) -> None:
    """One of the letters S, T, O, P, about 0.2 wide, in white lines."""
    top, middle, foot = -0.49, -0.34, -0.19
    left, right = x - 0.07, x + 0.07
    strokes = {
        "S": [
            (right, top),
            (left, top),
            (left, middle),
            (right, middle),
            (right, foot),
            (left, foot),
        ],
        "T": [(left, top), (right, top), (x, top), (x, foot)],
        "O": [
            (left, top),
            (right, top),
            (right, foot),
            (left, foot),
            (left, top),
        ],
        "P": [
            (left, foot),
            (left, top),
            (right, top),
            (right, middle),
            (left, middle),
        ],
    }
    pen.line(strokes[letter], 0.05, paint.WHITE)
