"""Scenes behind the objects, and the light over all.

Each scene takes (picture, rng), paints a picture without objects, and returns
the height, 0 to 1, from which down things can stand.
"""

from tfrecords_tools.synthetic.backdrops.inside import blank, room, table
from tfrecords_tools.synthetic.backdrops.lighting import light
from tfrecords_tools.synthetic.backdrops.litter import litter
from tfrecords_tools.synthetic.backdrops.outside import meadow, sea, street

__all__ = [
    "blank",
    "light",
    "litter",
    "meadow",
    "room",
    "sea",
    "street",
    "table",
]
