"""Colours: float32 RGB in [0, 1]."""

import colorsys
from collections.abc import Callable

import numpy as np

MIN_CONTRAST = 0.45
"""Euclidean distance in RGB from which on two colours are told apart."""
_ATTEMPTS = 8


def hsv(hue: float, saturation: float, value: float) -> np.ndarray:
    """RGB (3,) of a colour given by fractions of hue, saturation, value."""
    rgb = colorsys.hsv_to_rgb(hue % 1.0, saturation, value)
    return np.array(rgb, dtype=np.float32)


def vivid(rng: np.random.Generator) -> np.ndarray:
    """A colour for an object of the shapes world: any hue, seldom grey."""
    return hsv(rng.random(), rng.uniform(0.35, 0.95), rng.uniform(0.35, 1.0))


def muted(rng: np.random.Generator) -> np.ndarray:
    """A colour for a background: any hue, little saturation."""
    return hsv(rng.random(), rng.uniform(0.05, 0.45), rng.uniform(0.15, 0.95))


def pastel(rng: np.random.Generator) -> np.ndarray:
    """A light colour, as of printed cloth."""
    return hsv(rng.random(), rng.uniform(0.08, 0.3), rng.uniform(0.82, 1.0))


def deep(rng: np.random.Generator) -> np.ndarray:
    """A dark saturated colour, as of dyed yarn."""
    return hsv(rng.random(), rng.uniform(0.6, 1.0), rng.uniform(0.2, 0.6))


def contrasting(
    rng: np.random.Generator,
    draw_colour: Callable[[np.random.Generator], np.ndarray],
    *others: np.ndarray,
) -> np.ndarray:
    """The first of eight drawn colours that stands out, else the best one.

    Args:
        draw_colour: one of this module's colours, called with `rng`.
        others: RGB (3,) of what must be told from it.
    """
    colours = [draw_colour(rng) for _ in range(_ATTEMPTS)]
    distances = [
        min(float(np.linalg.norm(colour - other)) for other in others)
        for colour in colours
    ]
    for colour, distance in zip(colours, distances, strict=True):
        if distance >= MIN_CONTRAST:
            return colour
    return colours[int(np.argmax(distances))]
