"""Scenes in rooms and on table tops; see `backdrops`."""

import math

import numpy as np

from tfrecords_tools.synthetic import paint, textures
from tfrecords_tools.synthetic.affine import pose
from tfrecords_tools.synthetic.outlines import rectangle_points
from tfrecords_tools.synthetic.paint import Colour
from tfrecords_tools.synthetic.parts import dots, stripes
from tfrecords_tools.synthetic.picture import Picture
from tfrecords_tools.synthetic.vector import Sketch


def room(picture: Picture, rng: np.random.Generator) -> float:
    """A wall, plain or papered, above a floor; a window or a picture."""
    horizon = rng.uniform(0.45, 0.68)
    wall = paint.hsv(
        rng.random(), rng.uniform(0.05, 0.35), rng.uniform(0.6, 0.97)
    )
    floor = paint.near(
        rng,
        paint.one_of(rng, (paint.WOOD, (196, 170, 136), (150, 148, 152))),
        0.1,
    )
    picture.gradient(wall, paint.darker(wall, 0.12), end=horizon)
    picture.gradient(
        paint.darker(floor, 0.12), paint.lighter(floor, 0.12), start=horizon
    )
    pen = Sketch()
    _wallpaper(pen, rng, picture.aspect, horizon, wall)
    if rng.random() < 0.5:
        _frame(pen, rng, rng.uniform(0, picture.aspect), horizon)
    _boards(pen, picture.aspect, horizon, paint.darker(floor, 0.15))
    pen.rectangle(
        -0.1,
        horizon - 0.025,
        picture.aspect + 0.1,
        horizon + 0.005,
        paint.lighter(wall, 0.5),
    )
    picture.paint(pen)
    return horizon


def table(picture: Picture, rng: np.random.Generator) -> float:
    """A table's top or a cloth, seen from above and filling the frame."""
    base = (
        paint.muted(rng)
        if rng.random() < 0.5
        else paint.near(rng, paint.WOOD, 0.15)
    )
    size = 32
    field = textures.clouds(rng, size, int(rng.integers(3, 7)))
    low, high = np.array(paint.darker(base, 0.15)), np.array(base)
    picture.texture(textures.mix(field, low, high).astype(np.uint8))
    pen = Sketch()
    _cloth(pen, rng, picture.aspect, base)
    picture.paint(pen)
    return 0.0


def blank(picture: Picture, rng: np.random.Generator) -> float:
    """A soft two-coloured ground, as of a photographer's cloth."""
    size = 24
    field = textures.gradient(rng, size)
    field = 0.6 * field + 0.4 * textures.clouds(rng, size, 4)
    low, high = np.array(paint.muted(rng)), np.array(paint.muted(rng))
    picture.texture(textures.mix(field, low, high).astype(np.uint8))
    return 0.0


def _wallpaper(
    pen: Sketch,
    rng: np.random.Generator,
    aspect: float,
    horizon: float,
    wall: Colour,
) -> None:
    area = rectangle_points(0, 0, aspect, horizon)
    kind = rng.integers(4)
    if kind == 0:
        stripes(
            pen,
            area,
            paint.lighter(wall, 0.25),
            period=rng.uniform(0.06, 0.16),
            width=0.03,
        )
    elif kind == 1:
        dots(
            pen,
            area,
            paint.darker(wall, 0.1),
            period=rng.uniform(0.11, 0.18),
            radius=0.015,
        )


def _frame(
    pen: Sketch, rng: np.random.Generator, x: float, horizon: float
) -> None:
    half, high = rng.uniform(0.08, 0.16), 0.55 * horizon
    top = 0.12 * horizon
    pen.rectangle(x - half, top, x + half, top + high, paint.WHITE)
    view = paint.muted(rng)
    pen.rectangle(
        x - half + 0.02, top + 0.02, x + half - 0.02, top + high - 0.02, view
    )
    pen.rectangle(
        x - half + 0.02,
        top + 0.6 * high,
        x + half - 0.02,
        top + high - 0.02,
        paint.darker(view, 0.25),
    )


def _boards(pen: Sketch, aspect: float, horizon: float, colour: Colour) -> None:
    for slope in np.arange(-2, 2.01, 0.5):
        x = aspect / 2 + slope * aspect / 2
        pen.line(
            [
                (aspect / 2 + 0.5 * (x - aspect / 2), horizon),
                (aspect / 2 + 1.6 * (x - aspect / 2), 1.05),
            ],
            0.004,
            colour,
        )


def _cloth(
    pen: Sketch, rng: np.random.Generator, aspect: float, base: Colour
) -> None:
    area = rectangle_points(0, 0, aspect, 1)
    colour = paint.mix(base, paint.one_of(rng, (paint.WHITE, paint.BLACK)), 0.2)
    angle = rng.uniform(0, math.pi)
    kind = rng.integers(4)
    if kind == 0:
        stripes(
            pen,
            area,
            paint.veil(colour, 0.5),
            angle=angle,
            period=rng.uniform(0.1, 0.3),
            width=0.05,
        )
    elif kind == 1:
        for turn in (angle, angle + math.pi / 2):
            stripes(
                pen,
                area,
                paint.veil(colour, 0.4),
                angle=turn,
                period=0.2,
                width=0.1,
            )
    elif kind == 2:
        for offset in np.arange(-1, 1.01, 0.25):
            with pen.posed(pose(aspect / 2, 0.5, angle=angle)):
                pen.line([(offset, -2), (offset, 2)], 0.006, colour)
