"""What stands in rooms."""

import numpy as np

from tfrecords_tools.synthetic import paint
from tfrecords_tools.synthetic.outlines import ellipse_points, rectangle_points
from tfrecords_tools.synthetic.parts import dots, ground_shadow, stripes
from tfrecords_tools.synthetic.vector import Sketch


def chair(rng: np.random.Generator) -> Sketch:
    """Four legs, a seat, a back of slats or of cloth."""
    pen = Sketch()
    wood = paint.near(rng, paint.WOOD, 0.15)
    if rng.random() < 0.4:
        wood = paint.vivid(rng)
    ground_shadow(pen, 0.6)
    dark = paint.darker(wood, 0.3)
    for x in (-0.34, 0.42):
        pen.line([(x, 0.1), (x, 0.82)], 0.09, dark)
    if rng.random() < 0.5:
        for x in (-0.3, -0.1, 0.1, 0.3):
            pen.rectangle(x - 0.045, -0.86, x + 0.045, 0.06, dark)
        pen.rectangle(-0.44, -0.98, 0.44, -0.76, wood, radius=0.07)
    else:
        pen.rectangle(-0.42, -0.98, 0.42, 0.04, wood, radius=0.1)
        pen.rectangle(-0.32, -0.88, 0.32, -0.1, paint.vivid(rng), radius=0.08)
    for x in (-0.4, 0.4):
        pen.rectangle(x - 0.05, -0.8, x + 0.05, 0.1, wood)
    pen.polygon(
        [(-0.44, 0.02), (0.44, 0.02), (0.58, 0.22), (-0.58, 0.22)], wood
    )
    pen.rectangle(-0.58, 0.22, 0.58, 0.31, paint.darker(wood, 0.18))
    for x in (-0.51, 0.51):
        pen.rectangle(x - 0.06, 0.3, x + 0.06, 0.98, wood)
    return pen


def table(rng: np.random.Generator) -> Sketch:
    """A top on four legs or on one foot."""
    pen, wood = Sketch(), paint.near(rng, paint.WOOD, 0.15)
    dark = paint.darker(wood, 0.3)
    ground_shadow(pen, 0.95)
    if rng.random() < 0.6:
        for x, colour in (
            (-0.66, dark),
            (0.66, dark),
            (-0.87, wood),
            (0.87, wood),
        ):
            pen.rectangle(x - 0.065, 0.0, x + 0.065, 0.97, colour)
        pen.rectangle(-0.9, 0.02, 0.9, 0.2, dark)
        pen.polygon(
            [(-0.76, -0.26), (0.76, -0.26), (1, 0.02), (-1, 0.02)],
            paint.lighter(wood, 0.15),
        )
        pen.rectangle(-1, 0.02, 1, 0.12, wood)
        return pen
    pen.rectangle(-0.1, 0, 0.1, 0.9, dark)
    pen.ellipse(0, 0.88, 0.48, 0.1, dark)
    cloth = paint.vivid(rng)
    top = ellipse_points(0, -0.06, 1, 0.24)
    pen.ellipse(0, 0.04, 1, 0.24, paint.darker(cloth, 0.25))
    pen.polygon(top, cloth)
    dots(pen, top, paint.WHITE, period=0.24, radius=0.05)
    return pen


def sofa(rng: np.random.Generator) -> Sketch:
    """Two or three cushions between two arms."""
    pen, cover = Sketch(), paint.near(rng, paint.vivid(rng), 0.2)
    ground_shadow(pen)
    for x in (-0.8, 0.8):
        pen.rectangle(x - 0.06, 0.8, x + 0.06, 0.98, paint.WOOD)
    back = rectangle_points(-0.88, -0.38, 0.88, 0.5, 0.16)
    pen.polygon(back, cover)
    if rng.random() < 0.35:
        stripes(pen, back, paint.lighter(cover, 0.3), period=0.2, width=0.07)
    count = int(rng.integers(2, 4))
    step = 1.44 / count
    for i in range(count):
        x = -0.72 + i * step
        pen.rectangle(
            x + 0.015,
            0.3,
            x + step - 0.015,
            0.58,
            paint.lighter(cover, 0.2),
            radius=0.08,
        )
    pen.rectangle(-0.9, 0.56, 0.9, 0.86, paint.darker(cover, 0.15))
    for sign in (-1, 1):
        low, high = sorted((0.7 * sign, sign))
        pen.rectangle(
            low, 0.08, high, 0.86, paint.darker(cover, 0.08), radius=0.12
        )
    if rng.random() < 0.6:
        pen.rectangle(-0.6, -0.04, -0.22, 0.32, paint.vivid(rng), radius=0.08)
    return pen


def lamp(rng: np.random.Generator) -> Sketch:
    """A standing lamp with a shade, lit or not."""
    pen, shade = Sketch(), paint.vivid(rng)
    ground_shadow(pen, 0.45)
    foot = paint.one_of(rng, (paint.BLACK, paint.STEEL, paint.WOOD))
    pen.ellipse(0, 0.9, 0.38, 0.09, foot)
    pen.rectangle(-0.045, -0.2, 0.045, 0.9, foot)
    if rng.random() < 0.5:
        pen.ellipse(0, 0.5, 0.17, 0.26, foot)
    if rng.random() < 0.5:
        shade = (255, 232, 160)
        pen.polygon(
            [(-0.6, -0.1), (0.6, -0.1), (0.95, 0.7), (-0.95, 0.7)],
            paint.veil(shade, 0.18),
        )
    cone = [(-0.32, -0.98), (0.32, -0.98), (0.66, -0.12), (-0.66, -0.12)]
    pen.polygon(cone, shade)
    if rng.random() < 0.4:
        stripes(pen, cone, paint.darker(shade, 0.2), period=0.22, width=0.06)
    pen.rectangle(-0.66, -0.18, 0.66, -0.12, paint.darker(shade, 0.3))
    return pen


def television(rng: np.random.Generator) -> Sketch:
    """A flat screen on a foot, dark or with a picture on it."""
    pen = Sketch()
    frame = paint.one_of(rng, (paint.BLACK, (70, 74, 80), paint.STEEL))
    ground_shadow(pen, 0.5)
    pen.polygon(
        [(-0.12, 0.5), (0.12, 0.5), (0.16, 0.9), (-0.16, 0.9)],
        paint.darker(frame, 0.2),
    )
    pen.ellipse(0, 0.9, 0.46, 0.08, frame)
    pen.rectangle(-1, -0.66, 1, 0.66, frame, radius=0.06)
    glass = rectangle_points(-0.91, -0.57, 0.91, 0.53)
    shown = paint.hsv(rng.random(), 0.5, rng.uniform(0.15, 0.9))
    pen.polygon(glass, shown)
    with pen.clipped(glass):
        if rng.random() < 0.6:
            pen.circle(0.4, -0.2, 0.2, paint.lighter(shown, 0.7))
            pen.blob(
                [(-1, 0.7), (-0.5, 0), (0, 0.3), (0.5, 0.1), (1, 0.7)],
                paint.darker(shown, 0.4),
            )
        pen.polygon(
            [(-0.8, -0.6), (-0.4, -0.6), (-0.9, 0.5), (-1.3, 0.5)],
            paint.veil(paint.WHITE, 0.25),
        )
    pen.circle(0.84, 0.595, 0.025, (90, 220, 110))
    return pen


def clock(rng: np.random.Generator) -> Sketch:
    """A round dial with twelve marks and two hands."""
    pen, rim = Sketch(), paint.vivid(rng)
    if rng.random() < 0.4:
        rim = paint.one_of(rng, (paint.BLACK, paint.WOOD, paint.STEEL))
    pen.circle(0, 0, 0.98, rim)
    pen.circle(0, 0, 0.8, paint.lighter(paint.pastel(rng), 0.5))
    for hour, turn in enumerate(2 * np.pi * np.arange(12) / 12):
        inner = 0.55 if hour % 3 == 0 else 0.64
        dx, dy = np.cos(turn), np.sin(turn)
        pen.line(
            [(inner * dx, inner * dy), (0.71 * dx, 0.71 * dy)],
            0.055,
            paint.BLACK,
        )
    for length, width in ((0.4, 0.09), (0.6, 0.06)):
        turn = rng.uniform(0, 2 * np.pi)
        tip = (length * np.cos(turn), length * np.sin(turn))
        pen.line([(0, 0), tip], width, paint.BLACK)
    pen.circle(0, 0, 0.08, rim)
    return pen
