"""Faces, what stands behind them and what may hide them.

A face lies around (0, 0), about 2 high and 1.5 wide; its owner stands on
y = FEET.
"""

import dataclasses

import numpy as np

from tfrecords_tools.synthetic import paint
from tfrecords_tools.synthetic.paint import BLACK, WHITE, Colour
from tfrecords_tools.synthetic.vector import Sketch, smooth

FEET = 7.6
_OUTLINE = smooth(
    [(0, -1.0), (0.55, -0.84), (0.74, -0.3), (0.7, 0.3), (0.42, 0.82),
     (0, 1.0), (-0.42, 0.82), (-0.7, 0.3), (-0.74, -0.3), (-0.55, -0.84)],
    closed=True,
)[::3]  # fmt: skip
_TORSO = smooth(
    [(-0.5, 1.0), (0.5, 1.0), (1.45, 1.4), (1.75, 2.6), (1.6, 4.6),
     (-1.6, 4.6), (-1.75, 2.6), (-1.45, 1.4)], closed=True,
)[::3]  # fmt: skip
_LEGS = np.array([(-1.15, 4.2), (1.15, 4.2), (1.0, 7.6), (0.15, 7.6),
                  (0, 5.6), (-0.15, 7.6), (-1.0, 7.6)])  # fmt: skip
_HAIR: tuple[Colour, ...] = (
    (40, 32, 30), (78, 52, 38), (132, 88, 52), (206, 168, 104),
    (170, 168, 166), (150, 68, 40),
)  # fmt: skip
STYLES = ("short", "long", "bun", "bald", "cap", "hood")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Person:
    """How somebody looks.

    Args:
        skin, hair, cloth: colours.
        style: one of STYLES.
        is_shouting: whether the mouth is wide open.
        turn: -1 to 1, where the features look to.
        wears_glasses, has_beard: what it says.
    """

    skin: Colour
    hair: Colour
    cloth: Colour
    style: str
    is_shouting: bool
    turn: float
    wears_glasses: bool
    has_beard: bool


def random_person(rng: np.random.Generator) -> Person:
    """Anybody."""
    is_turned = rng.random() < 0.15
    return Person(
        skin=paint.near(rng, paint.one_of(rng, paint.SKIN), 0.04),
        hair=paint.near(rng, paint.one_of(rng, _HAIR), 0.04),
        cloth=paint.vivid(rng) if rng.random() < 0.5 else paint.muted(rng),
        style=STYLES[int(rng.integers(len(STYLES)))],
        is_shouting=bool(rng.random() < 0.15),
        turn=float(rng.choice((-0.8, 0.8)) if is_turned else
                   rng.uniform(-0.25, 0.25)),
        wears_glasses=bool(rng.random() < 0.15),
        has_beard=bool(rng.random() < 0.15),
    )  # fmt: skip


def behind(person: Person, *, detailed: bool) -> Sketch:
    """Body, neck, ears, and hair or hat around the face."""
    sketch = Sketch()
    cover = person.cloth if person.style in ("cap", "hood") else person.hair
    if person.style == "long":
        sketch.ellipse(0, 0.35, 1.05, 1.6, person.hair)
    sketch.polygon(_LEGS, paint.darker(person.hair, 0.2))
    sketch.polygon(_TORSO, person.cloth)
    if detailed:
        shade = paint.darker(person.skin, 0.2)
        sketch.rectangle(-0.34, 0.6, 0.34, 1.35, shade)
        sketch.rectangle(-0.88, -0.15, 0.88, 0.25, shade, radius=0.2)
    if person.style == "bun":
        sketch.circle(0, -1.3, 0.42, person.hair)
    if person.style == "hood":
        sketch.ellipse(0, 0.1, 1.1, 1.4, paint.darker(person.cloth, 0.15))
    elif person.style != "bald":
        sketch.ellipse(0, -0.42, 0.88, 0.88, cover)
    return sketch


def seen_from_the_back(person: Person) -> Sketch:
    """The same person turned away: no face at all."""
    sketch = behind(person, detailed=True)
    tone = person.skin if person.style == "bald" else person.hair
    sketch.ellipse(0, -0.08, 0.82, 1.0, tone)
    return sketch


def face(person: Person, *, detailed: bool) -> Sketch:
    """What the box of the dataset holds; features only hint when small."""
    sketch = Sketch()
    sketch.polygon(_OUTLINE, person.skin)
    if person.has_beard or person.style not in ("bald", "hood"):
        with sketch.clipped(_OUTLINE):
            _on_skin(sketch, person)
    shift = 0.3 * person.turn
    _eyes(sketch, person, shift, detailed)
    dark = paint.darker(person.skin, 0.35)
    if detailed:
        nose = [(shift, -0.1), (1.5 * shift + 0.08, 0.26), (1.3 * shift, 0.28)]
        sketch.line(nose, 0.07, dark)
    if person.is_shouting:
        sketch.ellipse(shift, 0.6, 0.26, 0.24, (110, 36, 40))
        if detailed:
            sketch.rectangle(shift - 0.16, 0.4, shift + 0.16, 0.48, WHITE)
    else:
        lips = paint.mix(person.skin, (170, 50, 60), 0.65)
        sketch.ellipse(shift, 0.55, 0.3, 0.08, lips)
    return sketch


def _on_skin(sketch: Sketch, person: Person) -> None:
    if person.has_beard:
        sketch.ellipse(0, 0.85, 0.7, 0.5, person.hair)
    if person.style in ("short", "long", "bun"):
        part = 0.2 if person.turn > 0 else -0.2
        sketch.ellipse(part, -1.0, 0.8, 0.34, person.hair)
    elif person.style == "cap":
        sketch.rectangle(-0.8, -1.1, 0.8, -0.62, person.cloth)
        brim = paint.darker(person.cloth, 0.35)
        sketch.rectangle(-0.8, -0.72, 0.8, -0.58, brim)


def _eyes(sketch: Sketch, person: Person, shift: float, detailed: bool) -> None:
    for x in (shift - 0.3, shift + 0.3):
        if not detailed:
            sketch.rectangle(x - 0.12, -0.3, x + 0.12, -0.1, BLACK)
            continue
        if person.wears_glasses:
            sketch.ellipse(x, -0.2, 0.27, 0.23, BLACK)
            sketch.ellipse(x, -0.2, 0.21, 0.17, paint.lighter(person.skin))
        sketch.ellipse(x, -0.2, 0.15, 0.1, WHITE)
        sketch.circle(x + 0.1 * shift, -0.2, 0.09, BLACK)
        brow = paint.darker(person.hair, 0.2)
        sketch.rectangle(x - 0.17, -0.48, x + 0.17, -0.4, brow)


def cover(rng: np.random.Generator, person: Person) -> Sketch:
    """Something before the face: mask, sunglasses, hand or placard."""
    sketch, kind = Sketch(), rng.integers(4)
    if kind == 0:
        cloth = paint.one_of(rng, ((150, 200, 226), WHITE, BLACK))
        sketch.polygon(
            [(-0.72, 0.1), (0, 0.0), (0.72, 0.1), (0.6, 0.7), (0, 1.05),
             (-0.6, 0.7)], cloth,
        )  # fmt: skip
    elif kind == 1:
        sketch.line([(-0.7, -0.25), (0.7, -0.25)], 0.12, BLACK)
        for x in (-0.34, 0.34):
            sketch.ellipse(x, -0.2, 0.32, 0.26, BLACK)
    elif kind == 2:
        skin = paint.darker(person.skin, 0.12)
        x = rng.uniform(-0.5, 0.5)
        sketch.ellipse(x, 0.65, 0.42, 0.4, skin)
        for step in (-0.27, -0.09, 0.09, 0.27):
            finger = [(x + step, 0.5), (x + 1.3 * step, -0.15)]
            sketch.line(finger, 0.16, skin)
        sketch.line([(x, 0.8), (x + 0.3, 2.2)], 0.5, person.cloth)
    else:
        x = float(rng.choice((-0.75, 0.75)))
        board = paint.pastel(rng)
        sketch.rectangle(x - 0.8, -0.9, x + 0.8, 1.6, board)
        for y in (-0.4, 0.1, 0.6):
            sketch.line([(x - 0.5, y), (x + 0.5, y)], 0.14, paint.GREY)
    return sketch
