"""What makes a car one model and not another."""

import dataclasses

from tfrecords_tools.synthetic import paint
from tfrecords_tools.synthetic.paint import BLACK, Colour

GROUND = 0.5
"""y of the street."""
Corners = tuple[tuple[float, float], ...]
LAMP = (250, 240, 200)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Model:
    """What makes one model of car.

    Args:
        outline: side of the body, wheels left out.
        panes: windows in it.
        wheels: x of the rear and the front one.
        tyre: radius of a wheel.
        grille: "slats" (upright), "bars" (level), "slot" or "square".
        half_width, roof, bonnet: of the front view; heights are y.
        round_lamps: whether headlamps are round.
        rack, spoiler, stripes, spare: parts that it has.
        cell: whether a dark frame runs round the cabin.
        soft_top: whether the roof is dark cloth.
    """

    outline: Corners
    panes: tuple[Corners, ...]
    wheels: tuple[float, float]
    tyre: float = 0.2
    grille: str = "bars"
    half_width: float = 0.62
    roof: float = -0.5
    bonnet: float = -0.08
    round_lamps: bool = False
    rack: bool = False
    spoiler: bool = False
    stripes: bool = False
    spare: bool = False
    cell: bool = False
    soft_top: bool = False


def stripe_ink(colour: Colour) -> Colour:
    """Paint of stripes: white, or black on a bright car."""
    return BLACK if sum(colour) > 480 else paint.WHITE
