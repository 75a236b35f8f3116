"""The source: 43 everyday things in six kinds of scenes.

Meant to teach a base model whatever the nine targets build on. Things come
in many colours, patterns and variants; scenes are meadow, street, sea, room,
table top and studio cloth, the last two strewn with scraps of no class. One
to five things of all sizes, from a tenth of the frame to most of it, partly
hidden or cut off; light, blur and noise vary from image to image. Classes are
about equally frequent. In one meadow of three a flock of one kind is
boxed as a group, flagged `group_of`.
"""

import numpy as np

from tfrecords_tools.synthetic import backdrops
from tfrecords_tools.synthetic.arrangement import Style, compose
from tfrecords_tools.synthetic.crowd import place_crowd
from tfrecords_tools.synthetic.native.base import NativeImage
from tfrecords_tools.synthetic.objects import THINGS
from tfrecords_tools.synthetic.picture import Picture

KEY = "oid"
_NAMES = {name: name.capitalize() for name in THINGS}
CLASS_NAMES: tuple[str, ...] = tuple(_NAMES.values())

_STYLE = Style(counts=(1, 5), sizes=(0.1, 0.38), litter=5)
_GROUP_SHARE = 1 / 3
_GROUPED = ("person", "sheep", "bird", "flower")


def draw_image(rng: np.random.Generator, side: int) -> NativeImage:
    """One picture, `side` pixels square; see the module's text."""
    picture = Picture(side)
    stage = compose(picture, rng, _NAMES, _STYLE)
    if stage.scene == "meadow" and rng.random() < _GROUP_SHARE:
        name = str(rng.choice(_GROUPED))
        place_crowd(
            picture, rng, name, _NAMES[name], stage, flags={"group_of": 1}
        )
    pixels = picture.finish(
        rng,
        light=backdrops.light(rng, picture, depth=0.35),
        grain=rng.uniform(0, 6),
        blur=rng.uniform(0.3, 0.8) if rng.random() < 0.3 else 0.0,
    )
    return picture.native(pixels)
