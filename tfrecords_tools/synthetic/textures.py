"""Patterns over the whole frame: fields (side, side), float32 in [0, 1].

`mix` turns a field and two colours into a picture (side, side, 3).
"""

import functools

import numpy as np
from PIL import Image


def mix(field: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """low where the field is 0, high where it is 1."""
    return low + field[..., None] * (high - low)


def gradient(rng: np.random.Generator, side: int) -> np.ndarray:
    """Linear ramp in a random direction, 0 to 1 over the frame."""
    x, y = _grid(side)
    angle = rng.uniform(0, 2 * np.pi)
    ramp = (x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle)
    return np.clip(0.5 + ramp, 0, 1).astype(np.float32)


def spotlight(rng: np.random.Generator, side: int) -> np.ndarray:
    """Bright around a random point, falling off as a bell."""
    x, y = _grid(side)
    x0, y0 = rng.uniform(0, 1, 2)
    width = rng.uniform(0.3, 0.7)
    distance = (x - x0) ** 2 + (y - y0) ** 2
    return np.exp(-distance / (2 * width**2)).astype(np.float32)


def clouds(rng: np.random.Generator, side: int, cells: int) -> np.ndarray:
    """Smooth noise: a random grid of cells x cells, interpolated."""
    coarse = Image.fromarray(rng.random((cells, cells), dtype=np.float32))
    smooth = coarse.resize((side, side), Image.Resampling.BICUBIC)
    return np.clip(np.asarray(smooth), 0, 1)


def stripes(rng: np.random.Generator, side: int, period: float) -> np.ndarray:
    """Soft-edged bands in a random direction.

    Args:
        period: of one pair of bands, as a fraction of the side.
    """
    x, y = _grid(side)
    angle, phase = rng.uniform(0, 2 * np.pi, 2)
    along = x * np.cos(angle) + y * np.sin(angle)
    return _soft_step(np.sin(2 * np.pi * along / period + phase), side, period)


def dots(rng: np.random.Generator, side: int, period: float) -> np.ndarray:
    """Soft-edged dots on a square grid turned by a random angle."""
    x, y = _grid(side)
    angle, phase = rng.uniform(0, 2 * np.pi, 2)
    u = (x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / period + phase
    v = (y * np.cos(angle) - x * np.sin(angle)) * 2 * np.pi / period + phase
    return _soft_step((np.cos(u) + np.cos(v)) / 2 - 0.25, side, period)


def grain(rng: np.random.Generator, side: int, sigma: float) -> np.ndarray:
    """Independent Gaussian noise around 0, one value a channel."""
    noise = rng.standard_normal((side, side, 3), dtype=np.float32)
    return noise * np.float32(sigma)


def _soft_step(wave: np.ndarray, side: int, period: float) -> np.ndarray:
    """0 or 1 by the sign of a wave, with an edge about one pixel wide."""
    slope_per_pixel = 2 * np.pi / (period * side)
    return np.clip(0.5 + wave / slope_per_pixel, 0, 1).astype(np.float32)


@functools.lru_cache(maxsize=8)
def _grid(side: int) -> tuple[np.ndarray, np.ndarray]:
    """x and y of the pixel centres, as fractions of the side."""
    centres = ((np.arange(side) + 0.5) / side).astype(np.float32)
    shape = (side, side)
    x = np.broadcast_to(centres, shape)
    y = np.broadcast_to(centres[:, None], shape)
    return x, y
