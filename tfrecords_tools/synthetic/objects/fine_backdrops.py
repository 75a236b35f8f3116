"""Places of the fine-grained worlds: leaves, air, water, a showroom.

Like the scenes in `backdrops`, each takes a picture without objects and
returns the height, 0 to 1, from which down things can stand.
"""

import numpy as np
from PIL import Image

from tfrecords_tools.synthetic import paint
from tfrecords_tools.synthetic.paint import Colour
from tfrecords_tools.synthetic.picture import Picture
from tfrecords_tools.synthetic.vector import Sketch

_SMOOTH = 24


def haze(
    picture: Picture,
    rng: np.random.Generator,
    low: Colour,
    high: Colour,
    cells: int = 6,
) -> None:
    """Soft patches between two colours over the whole frame."""
    shares = rng.random((cells, cells, 1), dtype=np.float32)
    field = np.array(low) * (1 - shares) + np.array(high) * shares
    coarse = Image.fromarray(field.astype(np.uint8))
    smooth = coarse.resize((_SMOOTH, _SMOOTH), Image.Resampling.BICUBIC)
    picture.texture(np.asarray(smooth))


def sky(picture: Picture, rng: np.random.Generator) -> float:
    """Air with puffs of cloud and a hill far down."""
    hue = rng.uniform(0.53, 0.62)
    top = paint.hsv(hue, rng.uniform(0.25, 0.6), rng.uniform(0.7, 0.95))
    picture.gradient(top, paint.lighter(top, 0.6))
    scene = Sketch()
    for x, y in rng.uniform(0, (1, 0.6), (int(rng.integers(0, 4)), 2)):
        puff = paint.veil(paint.WHITE, rng.uniform(0.3, 0.7))
        for dx in (-0.09, 0.0, 0.1):
            scene.ellipse(x + dx, y + abs(dx) / 4, 0.12, 0.05, puff)
    hill = paint.hsv(rng.uniform(0.22, 0.4), 0.3, rng.uniform(0.35, 0.7))
    scene.ellipse(rng.random(), 1.15, 0.9, rng.uniform(0.15, 0.35), hill)
    picture.paint(scene)
    return 0.9


def foliage(picture: Picture, rng: np.random.Generator) -> float:
    """Leaves out of focus in the colours of one season."""
    hue = float(rng.choice((0.09, 0.2, 0.27, 0.33, 0.4)))
    dark = paint.hsv(hue, 0.5, rng.uniform(0.2, 0.45))
    bright = paint.hsv(hue - 0.03, 0.45, rng.uniform(0.55, 0.85))
    haze(picture, rng, dark, bright, 7)
    scene = Sketch()
    for x, y, angle, share in rng.random((16, 4)):
        leaf = paint.veil(paint.mix(dark, bright, share), 0.55)
        scene.ellipse(x, y, 0.09, 0.035, leaf, angle=3.1 * angle)
    picture.paint(scene)
    return 0.0


def water(picture: Picture, rng: np.random.Generator) -> float:
    """A lake with glints."""
    hue = rng.uniform(0.48, 0.62)
    deep = paint.hsv(hue, rng.uniform(0.3, 0.6), rng.uniform(0.35, 0.6))
    picture.gradient(paint.lighter(deep, 0.5), deep)
    scene = Sketch()
    for x, y, length in rng.random((22, 3)):
        glint = paint.veil(paint.WHITE, 0.15 + 0.2 * length)
        reach = 0.04 + 0.1 * length * y
        scene.ellipse(x, y, reach, 0.006 + 0.006 * y, glint)
    picture.paint(scene)
    return 0.0


def showroom(picture: Picture, rng: np.random.Generator) -> float:
    """Bright panels under lamps and a shining floor."""
    horizon = rng.uniform(0.5, 0.65)
    wall = paint.one_of(
        rng, ((226, 226, 224), (74, 78, 86), (176, 70, 62), (196, 208, 218))
    )
    picture.gradient(wall, paint.lighter(wall, 0.2), end=horizon)
    floor = paint.hsv(rng.random(), 0.04, rng.uniform(0.45, 0.85))
    picture.gradient(paint.darker(floor, 0.2), floor, start=horizon)
    scene = Sketch()
    for x in np.arange(rng.uniform(0, 0.2), 1, 0.25):
        seam = paint.darker(wall, 0.25)
        scene.rectangle(x, 0, x + 0.008, horizon, seam)
        scene.circle(x + 0.12, 0.06, 0.03, paint.veil(paint.WHITE, 0.8))
    picture.paint(scene)
    return horizon
