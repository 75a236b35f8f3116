"""A near target: sixteen of the source's things in busier pictures.

The things are the source's, the frames are not: four to nine of them, most
of them small, many overlapping, on harder light and coarser noise; some wear
a colour cast. So classes carry over, but scale and clutter must be learnt.
In one outdoor image of six a crowd of people is one region, flagged `iscrowd`.
"""

import numpy as np

from tfrecords_tools.synthetic import backdrops
from tfrecords_tools.synthetic.arrangement import Style, compose
from tfrecords_tools.synthetic.crowd import place_crowd
from tfrecords_tools.synthetic.native.base import NativeImage
from tfrecords_tools.synthetic.picture import Picture

KEY = "coco"
_NAMES = {
    "person": "person",
    "bicycle": "bicycle",
    "car": "car",
    "bus": "bus",
    "traffic light": "traffic light",
    "bird": "bird",
    "dog": "dog",
    "sheep": "sheep",
    "kite": "kite",
    "bottle": "bottle",
    "mug": "cup",
    "banana": "banana",
    "orange": "orange",
    "chair": "chair",
    "houseplant": "potted plant",
    "book": "book",
}
CLASS_NAMES: tuple[str, ...] = tuple(_NAMES.values())

_STYLE = Style(
    counts=(4, 9),
    sizes=(0.08, 0.28),
    least_inside=0.5,
    least_left=0.45,
    litter=8,
)
_CROWD_SHARE = 1 / 6
_CAST = 0.12


def draw_image(rng: np.random.Generator, side: int) -> NativeImage:
    """One picture, `side` pixels square; see the module's text."""
    picture = Picture(side)
    stage = compose(picture, rng, _NAMES, _STYLE)
    is_outside = stage.scene in ("meadow", "street")
    if is_outside and rng.random() < _CROWD_SHARE:
        place_crowd(
            picture, rng, "person", "person", stage, flags={"iscrowd": 1}
        )
    cast = rng.uniform(1 - _CAST, 1 + _CAST, 3).astype(np.float32)
    pixels = picture.finish(
        rng,
        light=backdrops.light(rng, picture, depth=0.5) * cast,
        grain=rng.uniform(3, 9),
    )
    return picture.native(pixels)
