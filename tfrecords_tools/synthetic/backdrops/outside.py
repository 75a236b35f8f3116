"""Scenes under the sky; see `backdrops`."""

import numpy as np

from tfrecords_tools.synthetic import paint
from tfrecords_tools.synthetic.paint import Colour
from tfrecords_tools.synthetic.picture import Picture
from tfrecords_tools.synthetic.vector import Sketch

_FOAM = paint.veil(paint.WHITE, 0.5)
_GROUNDS: tuple[Colour, ...] = (
    (122, 168, 82),
    (146, 172, 92),
    (214, 190, 140),
    (168, 150, 120),
    (226, 230, 236),
)


def meadow(picture: Picture, rng: np.random.Generator) -> float:
    """Sky with clouds, hills far off, grass or sand or snow in front."""
    horizon = rng.uniform(0.35, 0.6)
    sky = paint.hsv(rng.uniform(0.53, 0.6), rng.uniform(0.15, 0.6), 0.95)
    picture.gradient(sky, paint.lighter(sky, 0.6), end=horizon + 0.02)
    pen = Sketch()
    _clouds(pen, rng, picture.aspect, horizon)
    ground = paint.near(rng, paint.one_of(rng, _GROUNDS), 0.06)
    _hills(pen, rng, picture.aspect, horizon, paint.mix(ground, sky, 0.45))
    picture.paint(pen)
    picture.gradient(
        paint.lighter(ground, 0.12), paint.darker(ground, 0.18), start=horizon
    )
    _tufts(picture, rng, ground, horizon)
    return horizon


def street(picture: Picture, rng: np.random.Generator) -> float:
    """House fronts with windows behind a pavement and a road."""
    horizon = rng.uniform(0.45, 0.62)
    sky = paint.hsv(0.58, rng.uniform(0.05, 0.4), rng.uniform(0.75, 0.97))
    picture.gradient(sky, paint.lighter(sky, 0.4), end=horizon)
    pen = Sketch()
    x = -rng.uniform(0, 0.2)
    while x < picture.aspect:
        width = rng.uniform(0.2, 0.42)
        _front(pen, rng, x, width, horizon)
        x += width
    picture.paint(pen)
    asphalt = paint.hsv(0.6, 0.05, rng.uniform(0.35, 0.6))
    picture.gradient(paint.lighter(asphalt, 0.25), asphalt, start=horizon)
    marks = Sketch()
    y = horizon + 0.6 * (1 - horizon)
    for start in np.arange(rng.uniform(-0.3, 0), picture.aspect, 0.36):
        marks.rectangle(start, y, start + 0.2, y + 0.02, paint.WHITE)
    picture.paint(marks)
    return horizon


def sea(picture: Picture, rng: np.random.Generator) -> float:
    """Sky and clouds over water with waves."""
    horizon = rng.uniform(0.3, 0.5)
    sky = paint.hsv(rng.uniform(0.53, 0.62), rng.uniform(0.1, 0.5), 0.96)
    picture.gradient(sky, paint.lighter(sky, 0.6), end=horizon + 0.02)
    water = paint.hsv(rng.uniform(0.48, 0.6), rng.uniform(0.4, 0.7), 0.62)
    pen = Sketch()
    _clouds(pen, rng, picture.aspect, horizon)
    picture.paint(pen)
    picture.gradient(
        paint.lighter(water, 0.3), paint.darker(water, 0.2), start=horizon
    )
    waves = Sketch()
    for _ in range(12):
        y = horizon + (1 - horizon) * rng.random()
        x, size = rng.uniform(0, picture.aspect), 0.03 + 0.1 * (y - horizon)
        waves.arc(x, y - size, size, size, 0.15, 0.35, 0.006, _FOAM)
    picture.paint(waves)
    return horizon


def _clouds(
    pen: Sketch, rng: np.random.Generator, aspect: float, horizon: float
) -> None:
    for _ in range(rng.integers(0, 4)):
        x, y = rng.uniform(0, aspect), rng.uniform(0.04, 0.7 * horizon)
        size = rng.uniform(0.04, 0.09)
        for dx, dy, grow in ((-1, 0.3, 0.7), (0, 0, 1), (1, 0.25, 0.8)):
            pen.ellipse(
                x + dx * size,
                y + dy * size,
                1.2 * grow * size,
                0.65 * grow * size,
                paint.veil(paint.WHITE, 0.75),
            )


def _hills(
    pen: Sketch,
    rng: np.random.Generator,
    aspect: float,
    horizon: float,
    colour: Colour,
) -> None:
    for shade in (0.25, 0.0):
        heights = horizon - rng.uniform(0.01, 0.16, 6) * (0.5 + 2 * shade)
        xs = np.linspace(-0.3, aspect + 0.3, 6)
        crest = list(zip(xs, heights, strict=True))
        foot = [(aspect + 0.6, horizon + 0.3), (-0.6, horizon + 0.3)]
        pen.blob([*crest, *foot], paint.lighter(colour, shade))


def _tufts(
    picture: Picture, rng: np.random.Generator, ground: Colour, horizon: float
) -> None:
    pen = Sketch()
    for _ in range(rng.integers(6, 20)):
        y = horizon + (1 - horizon) * rng.uniform(0.05, 1)
        x, size = rng.uniform(0, picture.aspect), 0.05 * (y - horizon) + 0.008
        colour = paint.near(rng, paint.darker(ground, 0.12), 0.06)
        pen.polygon(
            [
                (x - size, y),
                (x - 0.7 * size, y - size),
                (x, y),
                (x + 0.3 * size, y - 1.3 * size),
                (x + size, y),
            ],
            colour,
        )
    picture.paint(pen)


def _front(
    pen: Sketch, rng: np.random.Generator, x: float, width: float, ground: float
) -> None:
    top = rng.uniform(-0.1, 0.3)
    wall = paint.hsv(
        rng.uniform(0, 0.15), rng.uniform(0.08, 0.45), rng.uniform(0.5, 0.85)
    )
    pen.rectangle(x, top, x + width, ground + 0.01, wall)
    pen.rectangle(x, top, x + width, top + 0.02, paint.darker(wall))
    pane = paint.mix(paint.darker(wall, 0.5), paint.GLASS, rng.uniform(0, 0.5))
    columns = int(rng.integers(2, 4))
    step = width / columns
    for y in np.arange(top + 0.06, ground - 0.08, 0.13):
        for column in range(columns):
            left = x + (column + 0.25) * step
            pen.rectangle(left, y, left + step / 2, y + 0.08, pane)
