"""Prints on packages, about 1 high and wide to either side of (0, 0)."""

import math
from collections.abc import Callable

import numpy as np

from tfrecords_tools.synthetic.objects.rpc_parts import Product
from tfrecords_tools.synthetic.paint import WHITE
from tfrecords_tools.synthetic.vector import Sketch


def _sun(sketch: Sketch, article: Product) -> None:
    turns = 2 * math.pi * np.arange(16) / 16
    radii = np.where(np.arange(16) % 2, 0.72, 1.0)[:, None]
    star = radii * np.stack([np.cos(turns), np.sin(turns)], axis=1)
    sketch.polygon(star, article.print)
    sketch.circle(0, 0, 0.48, article.accent)


def _wave(sketch: Sketch, article: Product) -> None:
    for y, colour in ((-0.35, article.accent), (0.3, article.print)):
        way = [(-1.8, y), (-0.7, y - 0.4), (0.5, y + 0.4), (1.8, y)]
        sketch.curve(way, 0.46, colour)


def _bands(sketch: Sketch, article: Product) -> None:
    sketch.rectangle(-2.5, -0.7, 2.5, 0.7, article.print)
    sketch.rectangle(-2.5, -0.16, 2.5, 0.16, article.accent)


def _diagonal(sketch: Sketch, article: Product) -> None:
    for shift in (-2.0, -0.7, 0.6, 1.9):
        ends = [(-2, shift + 1.6), (2, shift - 1.6)]
        sketch.line(ends, 0.46, article.print)


def _dots(sketch: Sketch, article: Product) -> None:
    for row in range(-3, 4):
        for column in range(-2, 3):
            x = 0.8 * (column + 0.5 * (row % 2))
            sketch.circle(x, 0.66 * row, 0.24, article.print)


def _heart(sketch: Sketch, article: Product) -> None:
    for x in (-0.42, 0.42):
        sketch.circle(x, -0.3, 0.48, article.print)
    sketch.polygon([(-0.87, -0.1), (0.87, -0.1), (0, 0.95)], article.print)


def _leaf(sketch: Sketch, article: Product) -> None:
    for angle in (-0.7, 0.7):
        sketch.ellipse(0.4 * angle, 0, 0.34, 0.9, article.print, angle=angle)
    sketch.line([(0, -0.4), (0, 0.95)], 0.14, article.accent)


def _plate(sketch: Sketch, article: Product) -> None:
    """A white plate with lines of text, as on medicine."""
    sketch.rectangle(-0.9, -0.8, 0.9, 0.8, WHITE)
    sketch.rectangle(-0.9, -0.8, 0.9, -0.3, article.print)
    for y in (0.0, 0.36):
        sketch.line([(-0.6, y), (0.6, y)], 0.14, article.accent)


def _bowl(sketch: Sketch, article: Product) -> None:
    sketch.sector(0, 0, 0.95, 0.85, 0, 0.5, article.accent)
    for x in (-0.5, -0.1, 0.3):
        way = [(x, 0), (x + 0.16, -0.35), (x, -0.6), (x + 0.16, -0.95)]
        sketch.curve(way, 0.15, article.print)


LABELS: dict[str, Callable[[Sketch, Product], None]] = {
    "sun": _sun, "wave": _wave, "bands": _bands, "diagonal": _diagonal,
    "dots": _dots, "heart": _heart, "leaf": _leaf, "plate": _plate,
    "bowl": _bowl,
}  # fmt: skip
