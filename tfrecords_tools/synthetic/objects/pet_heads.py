"""Heads of cats and dogs from the front."""

import numpy as np

from tfrecords_tools.synthetic import paint
from tfrecords_tools.synthetic.objects.pet_parts import Pet, furry
from tfrecords_tools.synthetic.paint import BLACK, WHITE
from tfrecords_tools.synthetic.vector import Sketch, smooth

_EARS = {
    "tall": ((-0.72, -0.3), (-0.82, -1.18), (-0.16, -0.6)),
    "small": ((-0.66, -0.42), (-0.72, -0.88), (-0.3, -0.62)),
    "prick": ((-0.72, -0.28), (-0.66, -1.04), (-0.2, -0.58)),
    "bat": ((-0.6, -0.12), (-1.26, -1.0), (-0.2, -0.6)),
    "button": ((-0.84, -0.5), (-0.3, -0.66), (-0.66, -0.05), (-0.86, -0.1)),
    "drop": ((-0.5, -0.62), (-0.86, -0.5), (-1.04, 0.2), (-0.8, 0.46),
             (-0.62, 0.1)),
    "long": ((-0.46, -0.62), (-0.86, -0.4), (-1.12, 0.5), (-0.98, 1.0),
             (-0.62, 0.88), (-0.6, 0.1)),
}  # fmt: skip
_HANGING = ("button", "drop", "long")


def head(pet: Pet) -> Sketch:
    """The head alone: what the box of the dataset holds."""
    sketch, skull = Sketch(), _skull(pet)
    if pet.ear not in _HANGING:
        _ears(sketch, pet)
    if pet.fluff:
        sketch.polygon(furry(skull, pet.fluff), paint.darker(pet.coat, 0.06))
    sketch.polygon(skull, pet.coat)
    with sketch.clipped(skull):
        _markings(sketch, pet)
    if pet.ear in _HANGING:
        _ears(sketch, pet)
    _muzzle(sketch, pet)
    _eyes(sketch, pet)
    return sketch


def _skull(pet: Pet) -> np.ndarray:
    wide = 0.8 * pet.width
    chin = 0.66 if pet.is_cat else 0.78
    return smooth(
        [(0, -0.7), (0.72 * wide, -0.52), (wide, 0.05), (0.72 * wide, 0.5),
         (0, chin), (-0.72 * wide, 0.5), (-wide, 0.05),
         (-0.72 * wide, -0.52)], closed=True,
    )  # fmt: skip


def _ears(sketch: Sketch, pet: Pet) -> None:
    for mirror in (1, -1):
        ear = np.array(_EARS[pet.ear]) * (mirror, 1)
        if pet.ear in ("drop", "long"):
            sketch.blob(ear, pet.ear_colour)
            fold = paint.darker(pet.ear_colour, 0.2)
            sketch.curve([ear[0], ear[-1], ear[-2]], 0.05, fold)
            continue
        sketch.polygon(ear, pet.ear_colour)
        if pet.ear == "button":
            continue
        inner = 0.62 * ear + 0.38 * ear.mean(axis=0)
        pink = paint.mix(pet.ear_colour, (236, 170, 160), 0.6)
        sketch.polygon(inner, pink)


def _markings(sketch: Sketch, pet: Pet) -> None:
    if pet.mask is not None:
        sketch.ellipse(0, 0.3, 0.5, 0.62, paint.veil(pet.mask, 0.55))
        sketch.ellipse(0, 0.32, 0.4, 0.5, pet.mask)
    if pet.blaze is not None:
        sketch.polygon(
            [(-0.1, -0.8), (0.1, -0.8), (0.2, 0.3), (-0.2, 0.3)], pet.blaze
        )
    if pet.marks is None:
        return
    for x in (-0.3, -0.1, 0.1, 0.3):
        sketch.line([(x, -0.72), (0.8 * x, -0.36)], 0.075, pet.marks)
    for mirror in (1, -1):
        for y in (0.1, 0.3):
            ends = [(mirror * 0.5, y), (mirror * 0.95, y - 0.08)]
            sketch.line(ends, 0.06, pet.marks)


def _muzzle(sketch: Sketch, pet: Pet) -> None:
    colour = pet.muzzle or pet.mask or paint.lighter(pet.coat, 0.25)
    y = 0.12 if pet.is_flat else 0.24
    big = 0.0 if pet.is_cat else 0.1
    for x in (-0.17 - big, 0.17 + big):
        sketch.ellipse(x, y + 0.2 + big, 0.25 + big, 0.19 + big, colour)
    if not pet.is_cat:
        sketch.ellipse(0, y + 0.08, 0.26, 0.24, colour)
    line = paint.darker(colour, 0.6)
    sketch.line([(0, y), (0, y + 0.26)], 0.04, line)
    for x in (-0.16, 0.16):
        lip = [(0, y + 0.26), (x, y + 0.33 + big), (1.9 * x, y + 0.24 + big)]
        sketch.curve(lip, 0.045, line)
    if pet.is_cat:
        nose = [(-0.11, y - 0.03), (0.11, y - 0.03), (0, y + 0.1)]
        sketch.polygon(nose, (214, 122, 122))
        for mirror, dy in ((1, -0.04), (1, 0.1), (-1, -0.04), (-1, 0.1)):
            ends = [(mirror * 0.3, y + 0.16), (mirror * 0.95, y + 0.12 + dy)]
            sketch.line(ends, 0.02, paint.veil(WHITE, 0.75))
    else:
        sketch.ellipse(0, y + 0.02, 0.17, 0.12, BLACK)
        sketch.ellipse(-0.05, y - 0.03, 0.05, 0.025, paint.GREY)


def _eyes(sketch: Sketch, pet: Pet) -> None:
    y = 0.02 if pet.is_flat else -0.12
    size = 0.19 if pet.is_flat or pet.ear == "bat" else 0.155
    for x in (-0.38 * pet.width, 0.38 * pet.width):
        if pet.is_cat:
            rim = paint.darker(pet.coat, 0.6)
            sketch.ellipse(x, y, size + 0.05, size + 0.01, rim)
            sketch.ellipse(x, y, size, 0.85 * size, pet.eye_colour)
            sketch.ellipse(x, y, 0.3 * size, 0.8 * size, BLACK)
        else:
            sketch.circle(x, y, 0.8 * size, paint.darker(pet.eye_colour, 0.3))
            sketch.circle(x, y, 0.6 * size, BLACK)
        sketch.circle(x + 0.05, y - 0.05, 0.05, WHITE)
