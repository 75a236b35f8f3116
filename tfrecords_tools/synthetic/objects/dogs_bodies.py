"""Dogs from the side: they look to the right, and stand or sit."""

import numpy as np

from tfrecords_tools.synthetic import paint
from tfrecords_tools.synthetic.affine import Affine, pose
from tfrecords_tools.synthetic.objects.dogs_heads import head
from tfrecords_tools.synthetic.objects.dogs_parts import GROUND, Breed
from tfrecords_tools.synthetic.vector import Sketch, smooth

_TRUNKS = {
    "stand": smooth(
        [(-0.7, -0.12), (-0.3, -0.22), (0.1, -0.22), (0.36, -0.42),
         (0.58, -0.3), (0.54, 0.02), (0.4, 0.3), (0.05, 0.28),
         (-0.3, 0.2), (-0.6, 0.28), (-0.76, 0.08)], closed=True,
    ),
    "sit": smooth(
        [(0.34, -0.5), (0.54, -0.3), (0.52, 0.05), (0.38, 0.45), (0.1, 0.84),
         (-0.3, 0.9), (-0.56, 0.8), (-0.56, 0.45), (-0.28, 0.05),
         (0.04, -0.3)], closed=True,
    ),
}  # fmt: skip
_RUMP = {"stand": (-0.68, -0.02), "sit": (-0.5, 0.74)}
_SADDLES = {
    "stand": ((-0.85, -0.3), (0.34, -0.35), (0.26, 0.0), (-0.2, 0.08),
              (-0.85, 0.1)),
    "sit": ((0.3, -0.45), (0.2, -0.05), (-0.1, 0.3), (-0.36, 0.75),
            (-0.7, 0.7), (-0.5, 0.1)),
}  # fmt: skip
_BELLIES = {
    "stand": ((0.75, -0.45), (0.42, -0.1), (0.24, 0.18), (-0.8, 0.22),
              (-0.6, 0.5), (0.7, 0.5)),
    "sit": ((0.75, -0.4), (0.36, -0.2), (0.3, 0.3), (0.05, 0.95),
            (0.8, 0.95)),
}  # fmt: skip


def dog(breed: Breed, posture: str) -> Sketch:
    """The whole dog; posture is "stand" or "sit"."""
    sketch = Sketch()
    lift = 0.6 * (1 - breed.leg) if posture == "stand" else 0.0
    with sketch.posed(pose(0, lift)):
        _tail(sketch, breed, *_RUMP[posture])
        _legs(sketch, breed, posture, GROUND - lift)
        _trunk(sketch, breed, posture)
        if breed.hair == "silky":
            _curtain(sketch, breed, GROUND - lift)
        with sketch.posed(_about_neck(breed.head)):
            head(sketch, breed)
    return sketch


def _about_neck(size: float) -> Affine:
    return pose(0.45 * (1 - size), -0.4 * (1 - size), size)


def _legs(sketch: Sketch, breed: Breed, posture: str, foot: float) -> None:
    far = paint.darker(breed.coat, 0.28)
    rows = [(0.2, far), (0.36, breed.coat)]
    if posture == "stand":
        rows = [(-0.44, far), (0.22, far), (-0.6, breed.coat), rows[1]]
    top = 0.1 if posture == "stand" else 0.0
    for x, colour in rows:
        end = foot - 0.06
        if breed.hair == "curly":
            sketch.line([(x, top), (x, end)], 0.13, colour)
            sketch.circle(x, end - 0.16, 0.13, paint.lighter(colour, 0.08))
        else:
            sketch.line([(x, top), (x, end)], 0.16, colour)
        tint = breed.socks or colour
        if breed.socks is not None:
            middle = top + 0.55 * (end - top)
            sketch.line([(x, middle), (x, end)], 0.155, breed.socks)
        sketch.ellipse(x + 0.05, end, 0.13, 0.06, tint)


def _trunk(sketch: Sketch, breed: Breed, posture: str) -> None:
    shape = _TRUNKS[posture]
    if breed.hair == "curly":
        for x, y in shape[::3]:
            sketch.circle(x, y, 0.12, paint.darker(breed.coat, 0.08))
    if breed.hair == "long":
        _fringe(sketch, breed, shape)
    sketch.polygon(shape, breed.coat)
    with sketch.clipped(shape):
        if breed.belly is not None:
            sketch.polygon(_BELLIES[posture], breed.belly)
        if breed.saddle is not None:
            sketch.blob(_SADDLES[posture], breed.saddle)
        if breed.ticks is not None:
            for x, y in _tick_places():
                sketch.circle(x, y, 0.035, breed.ticks)
        if posture == "sit":
            rim = paint.darker(breed.coat, 0.2)
            sketch.arc(-0.22, 0.68, 0.3, 0.3, 0.5, 0.95, 0.035, rim)
    if posture == "sit":
        sketch.ellipse(0.06, 0.84, 0.2, 0.07, breed.socks or breed.coat)
    if breed.hair == "curly":
        for x, y in shape[1::6]:
            curl = paint.veil(paint.lighter(breed.coat, 0.25), 0.6)
            sketch.circle(0.7 * x, 0.75 * y, 0.07, curl)


def _tick_places() -> np.ndarray:
    """Places (n, 2) strewn evenly but not in rows."""
    index = np.arange(44)
    # Steps by the plastic number's powers fill a square evenly. Source:
    # Roberts, "The Unreasonable Effectiveness of Quasirandom Sequences".
    shares = np.stack([index * 0.7549 % 1, index * 0.5698 % 1], axis=1)
    return shares * (1.4, 1.5) + (-0.8, -0.5)


def _fringe(sketch: Sketch, breed: Breed, shape: np.ndarray) -> None:
    """Tufts that stick out of the lower half of the trunk."""
    colour = breed.belly or paint.lighter(breed.coat, 0.15)
    for x, y in shape[::2]:
        if y > -0.1:
            tuft = [
                (x - 0.1, y - 0.08),
                (x + 0.1, y - 0.08),
                (x - 0.05, y + 0.14),
            ]
            sketch.polygon(tuft, colour)


def _curtain(sketch: Sketch, breed: Breed, foot: float) -> None:
    """Hair that falls from the back to the ground in strands."""
    xs = np.linspace(-0.76, 0.56, 9)
    hem = [(x, foot - 0.05 * (i % 2)) for i, x in enumerate(xs)]
    back = [(0.5, -0.2), (0.0, -0.22), (-0.6, -0.14)]
    sketch.polygon([*hem, *back], breed.coat)
    strand = paint.darker(breed.coat, 0.14)
    for x, y in hem[1::2]:
        sketch.line([(0.85 * x, -0.1), (x, y - 0.04)], 0.03, strand)
    if breed.saddle is not None:
        patch = ((-0.66, -0.12), (-0.1, -0.21), (-0.02, 0.2), (-0.6, 0.3))
        sketch.polygon(patch, breed.saddle)


def _tail(sketch: Sketch, breed: Breed, x: float, y: float) -> None:
    coat = breed.saddle or breed.coat
    if breed.tail == "thin":
        way = [(x, y), (x - 0.22, y - 0.12), (x - 0.3, y - 0.42)]
        sketch.curve(way, 0.085, coat)
        sketch.circle(*way[-1], 0.05, breed.belly or coat)
    elif breed.tail == "plume":
        way = [(x, y), (x - 0.24, y + 0.02), (x - 0.4, y - 0.18)]
        sketch.curve(way, 0.2, coat)
        sketch.curve(way[1:], 0.12, breed.belly or paint.lighter(coat))
    elif breed.tail == "curl":
        sketch.arc(x + 0.06, y - 0.22, 0.17, 0.2, 0.3, 1.1, 0.13, coat)
        light = breed.belly or paint.lighter(coat)
        sketch.arc(x + 0.06, y - 0.22, 0.1, 0.12, 0.5, 1.0, 0.05, light)
    elif breed.tail == "docked":
        sketch.line([(x, y), (x - 0.1, y - 0.12)], 0.1, coat)
    else:
        sketch.line([(x, y), (x - 0.12, y - 0.3)], 0.07, coat)
        sketch.circle(x - 0.14, y - 0.38, 0.13, paint.lighter(coat, 0.08))
