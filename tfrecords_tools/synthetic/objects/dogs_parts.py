"""What makes a dog look like its breed."""

import dataclasses

from tfrecords_tools.synthetic.paint import Colour

GROUND = 0.9
"""y of the floor."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Breed:
    """What a breed looks like.

    Args:
        coat: main colour; ear_colour: of the ears.
        ear: its shape, one of those that the heads' module draws.
        tail: "thin", "plume", "curl", "docked" or "pom".
        snout: its length; leg: share of the longest legs; head: its size.
        hair: "smooth", "long", "silky" (to the ground) or "curly".
        saddle, belly, socks, muzzle, blaze: colours of marks, None without.
        ticks: of small spots all over, None without.
    """

    coat: Colour
    ear_colour: Colour
    ear: str
    tail: str
    snout: float
    leg: float
    head: float = 1.0
    hair: str = "smooth"
    saddle: Colour | None = None
    belly: Colour | None = None
    socks: Colour | None = None
    muzzle: Colour | None = None
    blaze: Colour | None = None
    ticks: Colour | None = None
