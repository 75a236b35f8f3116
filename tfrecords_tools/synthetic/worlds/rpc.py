"""Checkouts: 3 to 20 goods on a table, seen from above, any way round.

Twenty articles in twelve packages (bags, pouches, cartons, cups, bottles,
cans, tins, bars, tubes, sweets, tissues). Articles that share a package have
like colours and differ by the printed label. Goods lie close and overlap by a
quarter at most; one article may occur several times. The image's `level`
follows from the number of goods: up to 9 easy, up to 14 medium, else hard.
"""

import dataclasses
import functools
import math

import numpy as np

from tfrecords_tools.synthetic import backdrops, paint
from tfrecords_tools.synthetic.affine import pose
from tfrecords_tools.synthetic.native.base import NativeImage
from tfrecords_tools.synthetic.objects.rpc_packages import product
from tfrecords_tools.synthetic.objects.rpc_parts import Product
from tfrecords_tools.synthetic.paint import WHITE, Colour
from tfrecords_tools.synthetic.picture import Picture
from tfrecords_tools.synthetic.vector import Sketch

KEY = "rpc"

_RED, _ORANGE, _YELLOW = (212, 48, 44), (238, 136, 40), (246, 208, 62)
_GREEN, _BLUE, _PURPLE = (62, 150, 76), (48, 104, 190), (126, 70, 160)
_BROWN, _CREAM, _PINK = (112, 66, 42), (244, 230, 200), (236, 140, 170)
_MINT, _NAVY = (150, 214, 190), (36, 52, 104)


def _article(
    package: str,
    label: str,
    ground: Colour,
    ink: Colour,
    accent: Colour,
    size: float = 1.0,
) -> Product:
    return Product(
        package=package,
        label=label,
        ground=ground,
        print=ink,
        accent=accent,
        size=size,
    )


PRODUCTS = {
    "1_puffed_food": _article("bag", "sun", _RED, _YELLOW, _ORANGE, 1.25),
    "2_puffed_food": _article("bag", "wave", _RED, _YELLOW, WHITE, 1.25),
    "3_dried_fruit": _article("pouch", "heart", _ORANGE, _RED, _BROWN),
    "4_dried_food": _article("pouch", "leaf", _ORANGE, _GREEN, _BROWN),
    "5_instant_drink": _article("carton", "bands", _BROWN, _CREAM, _RED),
    "6_instant_noodles": _article("cup", "bowl", _YELLOW, _RED, _GREEN),
    "7_instant_noodles": _article("bag", "bowl", _YELLOW, _RED, _GREEN),
    "8_dessert": _article("cup", "heart", _PINK, WHITE, _PURPLE, 0.8),
    "9_drink": _article("bottle", "wave", _GREEN, WHITE, _YELLOW, 1.15),
    "10_drink": _article("bottle", "sun", _GREEN, _ORANGE, _YELLOW, 1.15),
    "11_alcohol": _article("can", "bands", _NAVY, _YELLOW, _RED),
    "12_milk": _article("gable", "wave", WHITE, _BLUE, _MINT, 1.1),
    "13_canned_food": _article("tin", "leaf", _GREEN, _MINT, _YELLOW, 0.85),
    "14_canned_food": _article("tin", "diagonal", _GREEN, _CREAM, _RED, 0.85),
    "15_chocolate": _article("carton", "diagonal", _BROWN, _ORANGE, _YELLOW),
    "16_gum": _article("bar", "dots", _BLUE, _MINT, WHITE, 0.8),
    "17_candy": _article("sweet", "dots", _PURPLE, _PINK, _YELLOW, 0.75),
    "18_seasoner": _article("bottle", "plate", (84, 50, 36), _RED, _BROWN),
    "19_personal_hygiene": _article("tube", "bands", _MINT, WHITE, _BLUE),
    "20_tissue": _article("tissue", "heart", _CREAM, _PINK, _MINT, 1.2),
}
CLASS_NAMES: tuple[str, ...] = tuple(PRODUCTS)

_COUNTS = {"easy": (3, 9), "medium": (10, 14), "hard": (15, 20)}
_LEVEL_SHARES = (0.3, 0.4, 0.3)
_ATTEMPTS = 30
_OVERLAP = 0.25
_Centre = tuple[float, float, float]
"""x, y, radius of what is taken."""


def draw_image(rng: np.random.Generator, side: int) -> NativeImage:
    """A square picture of goods."""
    picture = Picture(side)
    _table(picture, rng)
    low, high = _COUNTS[str(rng.choice(list(_COUNTS), p=_LEVEL_SHARES))]
    count = int(rng.integers(low, high + 1))
    radius = min(0.42 / math.sqrt(count), 0.14) * rng.uniform(0.85, 1.0)
    taken: list[_Centre] = []
    # A few articles a customer: repeats are common.
    basket = rng.choice(CLASS_NAMES, min(count, int(rng.integers(3, 13))))
    for _ in range(count):
        name = str(basket[int(rng.integers(len(basket)))])
        _lay(picture, rng, name, radius, taken)
    lit = backdrops.light(rng, picture, depth=0.15)
    pixels = picture.finish(rng, light=lit, grain=rng.uniform(0, 4))
    image = picture.native(pixels)
    level = _level(len(image.objects))
    return dataclasses.replace(image, flags={"level": level})


def _table(picture: Picture, rng: np.random.Generator) -> None:
    if rng.random() < 0.5:
        backdrops.table(picture, rng)
        return
    tone = paint.hsv(rng.random(), rng.uniform(0, 0.08), rng.uniform(0.7, 0.95))
    picture.gradient(tone, paint.darker(tone, 0.12))


def _lay(
    picture: Picture,
    rng: np.random.Generator,
    name: str,
    radius: float,
    taken: list[_Centre],
) -> None:
    """Puts an article where there is room; leaves it out if there is none."""
    size = radius * PRODUCTS[name].size
    for _ in range(_ATTEMPTS):
        x, y = rng.uniform(1.05 * size, 1 - 1.05 * size, 2)
        if all(
            math.hypot(x - a, y - b) > 0.72 * (size + c) for a, b, c in taken
        ):
            break
    where = pose(x, y, size, angle=rng.uniform(0, 2 * math.pi))
    if picture.place(
        name, _sketch(name), where, shadow=0.35,
        least_inside=0.95, least_left=1 - _OVERLAP,
    ):  # fmt: skip
        taken.append((x, y, size))


@functools.cache
def _sketch(name: str) -> Sketch:
    return product(PRODUCTS[name])


def _level(count: int) -> str:
    for level, (_, most) in _COUNTS.items():
        if count <= most:
            return level
    return "hard"
