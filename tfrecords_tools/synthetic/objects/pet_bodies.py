"""Trunks, limbs and tails that carry a head."""

import math

import numpy as np

from tfrecords_tools.synthetic import paint
from tfrecords_tools.synthetic.objects.pet_parts import Pet, furry
from tfrecords_tools.synthetic.paint import Colour
from tfrecords_tools.synthetic.parts import stripes
from tfrecords_tools.synthetic.vector import Sketch, ellipse_points, smooth

_SIT = smooth(
    [(-0.5, 0.3), (0.5, 0.3), (0.78, 1.0), (1.0, 1.9), (0.85, 2.6),
     (-0.85, 2.6), (-1.0, 1.9), (-0.78, 1.0)], closed=True,
)  # fmt: skip
_LIE = smooth(
    [(-0.7, 0.5), (0.1, 0.1), (1.2, 0.0), (2.3, 0.15), (2.8, 0.8),
     (2.5, 1.4), (0.8, 1.45), (-0.7, 1.4)], closed=True,
)  # fmt: skip


def body(pet: Pet, posture: str) -> Sketch:
    """Trunk, limbs and tail; posture is "sit" or "lie"."""
    sketch = Sketch()
    shape = _SIT if posture == "sit" else _LIE
    limbs = pet.limbs or pet.coat
    _tail(sketch, posture, limbs, 0.3 if pet.fluff else 0.2)
    if pet.fluff:
        tufts = furry(shape, 0.8 * pet.fluff)
        sketch.polygon(tufts, paint.darker(pet.coat, 0.06))
    sketch.polygon(shape, paint.darker(pet.coat, 0.04))
    _coat(sketch, pet, shape, posture)
    _paws(sketch, limbs, posture)
    return sketch


def _tail(sketch: Sketch, posture: str, colour: Colour, width: float) -> None:
    way = (
        [(0.7, 2.3), (1.4, 2.4), (1.6, 1.8), (1.4, 1.3)]
        if posture == "sit"
        else [(2.5, 1.0), (3.1, 1.2), (3.0, 1.55), (2.1, 1.5)]
    )
    sketch.curve(way, width, colour)


def _coat(sketch: Sketch, pet: Pet, shape: np.ndarray, posture: str) -> None:
    if pet.saddle is not None:
        middle = (0.0, 1.0) if posture == "sit" else (1.4, 0.2)
        with sketch.clipped(shape):
            for x in (-0.9, 0.9) if posture == "sit" else (-0.6, 0.5):
                sketch.ellipse(
                    middle[0] + x, middle[1] + 0.2, 0.55, 0.7, pet.saddle
                )
    if pet.pattern == "stripes" and pet.marks is not None:
        angle = math.pi / 2 if posture == "sit" else 0.0
        stripes(sketch, shape, pet.marks, period=0.4, width=0.13, angle=angle)
    if pet.pattern == "spots" and pet.marks is not None:
        _spots(sketch, shape, pet.marks)
    if pet.blaze is not None or pet.fluff:
        light = pet.blaze or paint.lighter(pet.coat, 0.3)
        bib = ellipse_points(0, 0.85, 0.4, 0.6)
        with sketch.clipped(shape):
            sketch.polygon(bib, light)


def _spots(sketch: Sketch, shape: np.ndarray, colour: Colour) -> None:
    low, high = shape.min(axis=0), shape.max(axis=0)
    with sketch.clipped(shape):
        for row, y in enumerate(np.arange(low[1] + 0.2, high[1], 0.34)):
            for x in np.arange(low[0] + 0.2 * (row % 2), high[0], 0.42):
                sketch.ellipse(x, y, 0.13, 0.09, colour)


def _paws(sketch: Sketch, colour: Colour, posture: str) -> None:
    rim = paint.darker(colour, 0.3)
    if posture == "sit":
        for x in (-0.28, 0.28):
            sketch.line([(x, 1.35), (x, 2.5)], 0.42, colour)
            sketch.ellipse(x, 2.58, 0.28, 0.16, colour)
        sketch.line([(0, 1.5), (0, 2.55)], 0.04, rim)
        return
    for x in (-0.5, 0.25):
        sketch.line([(x + 0.35, 1.2), (x - 0.3, 1.38)], 0.32, colour)
        sketch.line([(x - 0.42, 1.36), (x - 0.3, 1.4)], 0.04, rim)
