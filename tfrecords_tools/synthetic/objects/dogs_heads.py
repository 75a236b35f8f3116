"""Heads of dogs from the side, looking to the right."""

import numpy as np

from tfrecords_tools.synthetic import paint
from tfrecords_tools.synthetic.objects.dogs_parts import Breed
from tfrecords_tools.synthetic.paint import BLACK, WHITE, Colour
from tfrecords_tools.synthetic.parts import eye
from tfrecords_tools.synthetic.vector import Sketch

_EARS = {
    "prick": ((0.36, -0.66), (0.4, -1.06), (0.62, -0.74)),
    "bat": ((0.32, -0.6), (0.16, -0.86), (0.22, -1.1), (0.42, -0.98),
            (0.56, -0.72)),
    "tip": ((0.34, -0.62), (0.36, -0.96), (0.2, -0.84), (0.3, -0.76),
            (0.42, -0.92), (0.58, -0.74)),
    "drop": ((0.38, -0.7), (0.54, -0.68), (0.52, -0.36), (0.4, -0.22),
             (0.28, -0.4)),
    "long": ((0.38, -0.7), (0.54, -0.68), (0.56, -0.24), (0.42, 0.06),
             (0.24, -0.16), (0.28, -0.5)),
    "button": ((0.36, -0.7), (0.6, -0.76), (0.52, -0.5), (0.42, -0.48)),
}  # fmt: skip


def head(sketch: Sketch, breed: Breed) -> None:
    tone = breed.ear_colour if breed.ticks is not None else breed.coat
    if breed.hair == "curly":
        sketch.circle(0.5, -0.78, 0.2, paint.lighter(tone, 0.08))
    if breed.ear in ("prick", "bat", "tip"):
        far = np.array(_EARS[breed.ear]) + (0.18, 0.01)
        sketch.polygon(far, paint.darker(breed.ear_colour, 0.3))
    sketch.line([(0.36, -0.3), (0.5, -0.5)], 0.34, tone)
    if breed.saddle is not None and breed.belly is not None:
        sketch.line([(0.44, -0.26), (0.62, -0.3)], 0.14, breed.belly)
    sketch.ellipse(0.54, -0.56, 0.25, 0.23, tone)
    _snout(sketch, breed, tone)
    eye(sketch, 0.64, -0.6, 0.045, white=None)
    if breed.ear in ("prick", "tip"):
        sketch.polygon(_EARS[breed.ear], breed.ear_colour)
    else:
        sketch.blob(_EARS[breed.ear], breed.ear_colour)


def _snout(sketch: Sketch, breed: Breed, tone: Colour) -> None:
    end = 0.72 + breed.snout
    colour = breed.muzzle or tone
    if breed.blaze is not None:
        sketch.curve([(0.56, -0.78), (0.72, -0.66), (0.78, -0.56)], 0.1,
                     breed.blaze)  # fmt: skip
    if breed.muzzle is not None:
        sketch.ellipse(0.66, -0.44, 0.15, 0.13, colour)
    sketch.line([(0.66, -0.46), (end - 0.06, -0.45)], 0.22, colour)
    sketch.line([(0.66, -0.38), (end - 0.1, -0.37)], 0.14, colour)
    lips = [(0.68, -0.37), (end - 0.03, -0.39)]
    sketch.line(lips, 0.025, paint.darker(colour, 0.55))
    sketch.ellipse(end + 0.02, -0.52, 0.055, 0.05, BLACK)
    sketch.circle(end + 0.03, -0.54, 0.015, WHITE)
