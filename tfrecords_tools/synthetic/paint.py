"""Colours for drawing: tuples (red, green, blue[, alpha]) of 0 to 255.

A colour with alpha is translucent: it tints what lies beneath it and never
counts as a piece of the object.
"""

import colorsys
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

Colour: TypeAlias = tuple[int, ...]

BLACK: Colour = (22, 22, 26)
WHITE: Colour = (245, 245, 242)
GREY: Colour = (128, 130, 134)
GLASS: Colour = (168, 205, 226)
WOOD: Colour = (146, 98, 58)
STEEL: Colour = (176, 182, 190)
LEAF: Colour = (72, 138, 62)
SKIN: tuple[Colour, ...] = (
    (250, 219, 190),
    (236, 188, 150),
    (204, 150, 110),
    (156, 106, 72),
    (104, 68, 46),
)


def hsv(hue: float, saturation: float, value: float) -> Colour:
    """A colour by fractions; the hue turns round at 1."""
    rgb = colorsys.hsv_to_rgb(
        hue % 1.0, min(max(saturation, 0.0), 1.0), min(max(value, 0.0), 1.0)
    )
    return tuple(round(255 * channel) for channel in rgb)


def mix(low: Colour, high: Colour, share: float) -> Colour:
    """`low` at share 0, `high` at share 1, opaque."""
    return tuple(
        round(a + share * (b - a))
        for a, b in zip(low[:3], high[:3], strict=True)
    )


def darker(colour: Colour, amount: float = 0.3) -> Colour:
    """Towards black by a share."""
    return mix(colour, (0, 0, 0), amount)


def lighter(colour: Colour, amount: float = 0.3) -> Colour:
    """Towards white by a share."""
    return mix(colour, (255, 255, 255), amount)


def veil(colour: Colour, opacity: float) -> Colour:
    """The colour, translucent; opacity is a fraction below 1."""
    return (*colour[:3], min(round(255 * opacity), 254))


def vivid(rng: np.random.Generator) -> Colour:
    """Saturated and bright, any hue: lacquer, toys, cloth."""
    return hsv(rng.random(), rng.uniform(0.55, 0.95), rng.uniform(0.6, 0.98))


def muted(rng: np.random.Generator) -> Colour:
    """Little saturation, any hue and lightness: walls, cloth, earth."""
    return hsv(rng.random(), rng.uniform(0.08, 0.4), rng.uniform(0.3, 0.9))


def pastel(rng: np.random.Generator) -> Colour:
    """Light and soft, any hue: wallpaper, porcelain."""
    return hsv(rng.random(), rng.uniform(0.06, 0.3), rng.uniform(0.82, 0.98))


def near(
    rng: np.random.Generator, colour: Colour, spread: float = 0.12
) -> Colour:
    """A random neighbour; every channel moves by up to spread * 255."""
    moves = rng.uniform(-255 * spread, 255 * spread, 3)
    return tuple(
        int(min(max(channel + move, 0), 255))
        for channel, move in zip(colour[:3], moves, strict=True)
    )


def one_of(rng: np.random.Generator, colours: Sequence[Colour]) -> Colour:
    """Any of the colours, with equal chance."""
    return colours[int(rng.integers(len(colours)))]
