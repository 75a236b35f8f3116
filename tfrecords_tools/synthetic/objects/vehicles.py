"""Vehicles of the road, seen from the side."""

import numpy as np

from tfrecords_tools.synthetic import paint
from tfrecords_tools.synthetic.parts import ground_shadow, wheel
from tfrecords_tools.synthetic.vector import Sketch

_LAMP = (255, 226, 140)
_TAIL = (206, 44, 40)


def car(rng: np.random.Generator) -> Sketch:
    """A saloon or an estate, nose to the right."""
    pen, body = Sketch(), paint.vivid(rng)
    if rng.random() < 0.35:
        body = paint.hsv(rng.random(), 0.05, rng.uniform(0.25, 0.95))
    rear, roof = (-0.92, -0.8) if rng.random() < 0.4 else (-0.6, -0.36)
    top = rng.uniform(-0.12, 0.02)
    ground_shadow(pen)
    pen.polygon(
        [
            (-1, 0.76),
            (-0.99, 0.4),
            (rear, 0.3),
            (roof, top),
            (0.22, top),
            (0.56, 0.32),
            (0.92, 0.42),
            (1, 0.56),
            (0.98, 0.8),
            (-0.97, 0.8),
        ],
        body,
    )
    glass = paint.near(rng, paint.mix(paint.GLASS, paint.BLACK, 0.25), 0.05)
    low, high = 0.32, top + 0.08
    pen.polygon(
        [(rear + 0.1, low), (roof + 0.06, high), (-0.06, high), (-0.06, low)],
        glass,
    )
    pen.polygon([(0.02, low), (0.02, high), (0.19, high), (0.45, low)], glass)
    pen.rectangle(-0.97, 0.68, 0.98, 0.8, paint.darker(body))
    pen.line([(-0.02, 0.32), (-0.02, 0.68)], 0.02, paint.darker(body))
    pen.rectangle(0.05, 0.42, 0.17, 0.45, paint.darker(body, 0.5))
    pen.ellipse(0.92, 0.52, 0.07, 0.06, _LAMP)
    pen.rectangle(-0.99, 0.44, -0.91, 0.56, _TAIL)
    wheel(pen, -0.56, 0.78, 0.22)
    wheel(pen, 0.57, 0.78, 0.22)
    return pen


def bus(rng: np.random.Generator) -> Sketch:
    """A coach with a row of windows, nose to the right."""
    pen, body = Sketch(), paint.vivid(rng)
    trim = paint.WHITE if rng.random() < 0.5 else paint.darker(body, 0.4)
    ground_shadow(pen)
    pen.rectangle(-1, -0.5, 1, 0.84, body, radius=0.12)
    pen.rectangle(-1, 0.36, 1, 0.46, trim)
    glass = paint.mix(paint.GLASS, paint.BLACK, rng.uniform(0.1, 0.4))
    count = int(rng.integers(4, 6))
    step = 1.42 / count
    for i in range(count):
        x = -0.92 + i * step
        pen.rectangle(x, -0.3, x + 0.8 * step, 0.2, glass, radius=0.04)
    pen.rectangle(0.55, -0.3, 0.78, 0.78, glass, radius=0.04)
    pen.line([(0.665, -0.3), (0.665, 0.78)], 0.025, trim)
    pen.polygon([(0.86, -0.32), (1, -0.32), (1, 0.26), (0.86, 0.26)], glass)
    pen.ellipse(0.94, 0.62, 0.06, 0.06, _LAMP)
    pen.rectangle(-0.3, -0.46, 0.4, -0.37, paint.BLACK)
    wheel(pen, -0.6, 0.8, 0.19)
    wheel(pen, 0.4, 0.8, 0.19)
    return pen


def truck(rng: np.random.Generator) -> Sketch:
    """A lorry with a box, cab to the right."""
    pen, cab = Sketch(), paint.vivid(rng)
    load = paint.hsv(rng.random(), rng.uniform(0, 0.4), 0.9)
    ground_shadow(pen)
    pen.rectangle(-1, 0.62, 0.95, 0.82, paint.BLACK)
    pen.rectangle(-1, -0.7, 0.38, 0.7, load, radius=0.03)
    pen.rectangle(-1, 0.2, 0.38, 0.34, paint.mix(load, cab, 0.8))
    pen.polygon(
        [(0.42, -0.3), (0.8, -0.3), (0.98, 0.22), (1, 0.8), (0.42, 0.8)], cab
    )
    pen.polygon(
        [(0.52, -0.18), (0.75, -0.18), (0.89, 0.22), (0.52, 0.22)],
        paint.mix(paint.GLASS, paint.BLACK, 0.2),
    )
    pen.circle(0.93, 0.56, 0.06, _LAMP)
    for x in (-0.72, -0.3, 0.66):
        wheel(pen, x, 0.79, 0.2)
    return pen


def bicycle(rng: np.random.Generator) -> Sketch:
    """Two wheels in a frame of tubes."""
    pen, tube = Sketch(), paint.vivid(rng)
    left, right, crank = (-0.56, 0.52), (0.56, 0.52), (-0.06, 0.54)
    for x, y in (left, right):
        for turn in np.pi * np.arange(4) / 4:
            dx, dy = 0.4 * np.cos(turn), 0.4 * np.sin(turn)
            pen.line([(x - dx, y - dy), (x + dx, y + dy)], 0.015, paint.STEEL)
        pen.arc(x, y, 0.42, 0.42, 0, 1, 0.085, paint.BLACK)
    seat, head = (-0.24, -0.12), (0.4, -0.14)
    for a, b in (
        (left, crank),
        (left, seat),
        (crank, seat),
        (crank, head),
        (seat, head),
        (head, right),
    ):
        pen.line([a, b], 0.075, tube)
    pen.line([seat, (-0.28, -0.3)], 0.06, paint.STEEL)
    pen.ellipse(-0.28, -0.33, 0.17, 0.055, paint.BLACK)
    pen.line([head, (0.35, -0.36)], 0.06, paint.STEEL)
    pen.curve([(0.35, -0.36), (0.52, -0.4), (0.58, -0.26)], 0.07, paint.BLACK)
    pen.circle(*crank, 0.09, paint.STEEL)
    pen.line([(-0.06, 0.54), (0.04, 0.7)], 0.04, paint.BLACK)
    return pen
