"""People, whole, on foot or on a bicycle."""

import numpy as np

from tfrecords_tools.synthetic import paint
from tfrecords_tools.synthetic.affine import pose
from tfrecords_tools.synthetic.objects.vehicles import bicycle
from tfrecords_tools.synthetic.paint import Colour
from tfrecords_tools.synthetic.parts import ground_shadow, stripes
from tfrecords_tools.synthetic.vector import Sketch

HAIR: tuple[Colour, ...] = (
    (38, 28, 24),
    (84, 54, 32),
    (150, 96, 48),
    (222, 184, 110),
    (168, 160, 154),
    (150, 62, 36),
)


def person(rng: np.random.Generator) -> Sketch:
    """Seen from the front, in trousers or a skirt, arms at any angle."""
    pen = Sketch()
    skin, hair = paint.one_of(rng, paint.SKIN), paint.one_of(rng, HAIR)
    shirt, trousers = paint.vivid(rng), paint.darker(paint.muted(rng), 0.3)
    ground_shadow(pen, 0.36)
    spread = rng.uniform(0.1, 0.2)
    skirted = rng.random() < 0.35
    for sign in (-1, 1):
        foot = sign * spread
        leg = skin if skirted else trousers
        pen.line([(sign * 0.09, 0.2), (foot, 0.9)], 0.15, leg)
        pen.rectangle(
            foot - 0.09, 0.9, foot + 0.11, 0.99, paint.BLACK, radius=0.04
        )
    for sign in (-1, 1):
        _arm(pen, rng, sign, shirt, skin)
    trunk = [(-0.26, -0.47), (0.26, -0.47), (0.2, 0.24), (-0.2, 0.24)]
    pen.polygon(trunk, shirt)
    if rng.random() < 0.3:
        stripes(
            pen,
            trunk,
            paint.lighter(shirt, 0.6),
            period=0.16,
            width=0.06,
            angle=np.pi / 2,
        )
    if skirted:
        pen.polygon(
            [(-0.19, 0.12), (0.19, 0.12), (0.34, 0.6), (-0.34, 0.6)], trousers
        )
    _head(pen, rng, skin, hair)
    return pen


def cyclist(rng: np.random.Generator) -> Sketch:
    """A rider on a bicycle from the side, in the square from -1 to 1."""
    pen = Sketch()
    skin, shirt = paint.one_of(rng, paint.SKIN), paint.vivid(rng)
    pen.add(bicycle(rng), pose(0, 0.37, 0.66))
    hip, shoulder, head = (-0.18, 0.06), (0.1, -0.48), (0.2, -0.76)
    trousers = paint.darker(paint.muted(rng), 0.4)
    for knee, foot in (
        ((0.16, 0.28), (-0.02, 0.66)),
        ((0.2, 0.14), (0.1, 0.5)),
    ):
        pen.line([hip, knee, foot], 0.15, trousers)
    pen.line([hip, shoulder], 0.28, shirt)
    pen.line(
        [shoulder, (0.24, -0.14), (0.36, 0.1)], 0.1, paint.darker(shirt, 0.2)
    )
    pen.circle(*head, 0.17, skin)
    cap = paint.vivid(rng) if rng.random() < 0.5 else paint.one_of(rng, HAIR)
    pen.sector(head[0] - 0.02, head[1] - 0.03, 0.19, 0.19, 0.45, 1.0, cap)
    pen.ellipse(-0.02, 0.99, 0.8, 0.03, paint.veil(paint.BLACK, 0.35))
    return pen


def _arm(
    pen: Sketch,
    rng: np.random.Generator,
    sign: int,
    sleeve: Colour,
    skin: Colour,
) -> None:
    """From shoulder over elbow to hand, hanging or lifted."""
    lift = (
        rng.uniform(-0.3, 0.9) if rng.random() < 0.5 else rng.uniform(-0.3, 0)
    )
    elbow = (sign * (0.32 + 0.12 * abs(lift)), -0.16 - 0.2 * lift)
    hand = (elbow[0] + sign * 0.06, elbow[1] + 0.3 - 0.55 * max(lift, 0))
    pen.line([(sign * 0.22, -0.4), elbow], 0.13, paint.darker(sleeve, 0.15))
    pen.line([elbow, hand], 0.09, skin)
    pen.circle(*hand, 0.06, skin)


def _head(
    pen: Sketch, rng: np.random.Generator, skin: Colour, hair: Colour
) -> None:
    is_long = rng.random() < 0.45
    if is_long:
        pen.rectangle(-0.21, -0.85, 0.21, -0.44, hair, radius=0.12)
    pen.rectangle(-0.07, -0.58, 0.07, -0.44, paint.darker(skin, 0.12))
    pen.ellipse(0, -0.76, 0.18, 0.22, hair)
    pen.ellipse(0, -0.72, 0.16, 0.19, skin)
    pen.blob(
        [
            (-0.18, -0.74),
            (-0.12, -0.97),
            (0.12, -0.97),
            (0.18, -0.74),
            (0.05, -0.84),
        ],
        hair,
    )
    for x in (-0.06, 0.06):
        pen.circle(x, -0.72, 0.022, paint.BLACK)
    pen.arc(0, -0.66, 0.06, 0.04, 0.05, 0.45, 0.02, (150, 60, 56))
