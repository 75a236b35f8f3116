"""Where the people of a picture stand or sit; those far away come first."""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np

from tfrecords_tools.synthetic.objects.face_parts import FEET

Spot: TypeAlias = tuple[float, float, float]
"""x and y of a face's middle, and half its height, fractions of the side."""
Row: TypeAlias = tuple[float, float]
"""y of the faces' middles, and half their height."""

_ATTEMPTS = 8
_TAKEN_SHARE = 0.85


def sizes(
    rng: np.random.Generator, count: int, least: float, most: float
) -> np.ndarray:
    """Random sizes (count,), ascending.

    Even in the logarithm, so that each power of two is equally frequent.
    """
    return np.sort(np.exp(rng.uniform(np.log(least), np.log(most), count)))


def standing(
    rng: np.random.Generator, sizes: np.ndarray, horizon: float
) -> Iterator[Spot]:
    """People whose feet are on the ground, none of them wholly hidden."""
    spots: list[Spot] = []
    for size in sizes.tolist():
        lowest = 0.95 - 0.5 * size
        highest = max(horizon + 0.03 - FEET * size, 1.2 * size)
        for _ in range(_ATTEMPTS):
            x = rng.uniform(0.5 * size, 1 - 0.5 * size)
            spot = (x, rng.uniform(highest, lowest), size)
            if not any(_covers(spot, other) for other in spots):
                spots.append(spot)
                yield spot
                break


def rows(
    rng: np.random.Generator, least: float, most: float, people: int
) -> list[Row]:
    """Rows of a stand, the upper ones smaller, for about so many people."""
    size, growth = rng.uniform(least, most), rng.uniform(1.05, 1.4)
    found: list[Row] = []
    y, room = 0.0, 0.0
    while y < 0.85 and room < people:
        found.append((y, size))
        room += _TAKEN_SHARE / (2.4 * size)
        y += rng.uniform(2.3, 2.9) * size * growth
        size *= growth
    top = rng.uniform(0.05, max(0.97 - found[-1][0], 0.06))
    return [(top + y, size) for y, size in found]


def seated(rng: np.random.Generator, rows: Sequence[Row]) -> Iterator[Spot]:
    """People on most of the seats."""
    for y, size in rows:
        step = rng.uniform(2.0, 2.8) * size
        for x in np.arange(rng.uniform(0, step), 1, step):
            if rng.random() < _TAKEN_SHARE:
                dx, dy = rng.uniform(-0.25, 0.25, 2) * size
                yield float(x + dx), float(y + dy), size


def _covers(near: Spot, far: Spot) -> bool:
    """Whether somebody nearer would stand before most of a face."""
    x, y, size = near
    reach = (1.5 if far[1] > y + size else 0.8) * size
    beside = abs(far[0] - x) > reach + 0.4 * far[2]
    above = far[1] < y - 1.2 * size - 0.4 * far[2]
    return not (beside or above)
