"""What four-legged animals share."""

import dataclasses

from tfrecords_tools.synthetic import paint
from tfrecords_tools.synthetic.paint import Colour
from tfrecords_tools.synthetic.vector import Sketch

FURS: tuple[Colour, ...] = (
    (122, 78, 46),
    (186, 128, 72),
    (222, 188, 140),
    (70, 56, 50),
    (150, 146, 142),
    (236, 228, 214),
)
PINK: Colour = (228, 150, 146)


@dataclasses.dataclass(frozen=True, slots=True)
class Legs:
    """Where four legs of one beast stand."""

    hip: float
    thickness: float
    fur: Colour
    hoof: Colour


def add_legs(pen: Sketch, legs: Legs, reach: float) -> None:
    """Four straight legs down to y = 1, the far ones darker.

    Args:
        reach: of the outer legs from the middle.
    """
    far = paint.darker(legs.fur, 0.25)
    half = legs.thickness / 2
    for x, colour in (
        (-reach + 0.2, far),
        (reach - 0.2, far),
        (-reach, legs.fur),
        (reach, legs.fur),
    ):
        pen.rectangle(x - half, legs.hip - 0.1, x + half, 0.97, colour)
        pen.rectangle(x - half, 0.9, x + half, 0.98, legs.hoof)
