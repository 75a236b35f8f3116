"""The nearest target: ten of the source's things, drawn in the same way.

Same library, same scenes, same light and noise; only the choice of classes,
their names and the frames differ: fewer things, larger, seldom hidden. A
model of the source needs little more than a new head. What is small or half
hidden carries the flag `difficult`.
"""

import dataclasses

import numpy as np

from tfrecords_tools.synthetic import backdrops
from tfrecords_tools.synthetic.arrangement import Style, compose
from tfrecords_tools.synthetic.native.base import NativeImage, NativeObject
from tfrecords_tools.synthetic.picture import Picture

KEY = "voc"
_NAMES = {
    "airplane": "aeroplane",
    "bicycle": "bicycle",
    "bird": "bird",
    "boat": "boat",
    "bottle": "bottle",
    "car": "car",
    "cat": "cat",
    "chair": "chair",
    "horse": "horse",
    "person": "person",
}
CLASS_NAMES: tuple[str, ...] = tuple(_NAMES.values())

_STYLE = Style(counts=(1, 3), sizes=(0.16, 0.4), litter=4)
_DIFFICULT_VISIBLE = 0.55
_DIFFICULT_SIDE = 0.1


def draw_image(rng: np.random.Generator, side: int) -> NativeImage:
    """One picture, `side` pixels square; see the module's text."""
    picture = Picture(side)
    compose(picture, rng, _NAMES, _STYLE)
    pixels = picture.finish(
        rng,
        light=backdrops.light(rng, picture, depth=0.3),
        grain=rng.uniform(0, 5),
    )
    image = picture.native(pixels)
    objects = tuple(_judged(item, side) for item in image.objects)
    return dataclasses.replace(image, objects=objects)


def _judged(item: NativeObject, side: int) -> NativeObject:
    """The object with its flag `difficult`, 0 or 1."""
    least = min(item.xmax - item.xmin, item.ymax - item.ymin)
    is_hard = (
        item.visible < _DIFFICULT_VISIBLE or least < _DIFFICULT_SIDE * side
    )
    flags = {**item.flags, "difficult": int(is_hard)}
    return dataclasses.replace(item, flags=flags)
