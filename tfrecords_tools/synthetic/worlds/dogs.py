"""Dogs: one or two of one breed; ears, coat, tail and snout decide it.

Ten breeds. Tail and ears alternate between breeds of like colour: black with
tan (coonhound: long ears, thin tail) against black with white (collie: tipped
ears, plume); fawn with black muzzle and curled tail (pug) against fawn with
bat ears (chihuahua); ticked white with a docked tail (pointer) against
saddled tricolour (beagle). A poodle has poms and any one colour. Dogs stand
or sit, look left or right, indoors or out; in a pair the nearer one may hide
two fifths of the other. The box holds the whole dog.
"""

import dataclasses

import numpy as np

from tfrecords_tools.synthetic import backdrops, paint
from tfrecords_tools.synthetic.affine import Affine, pose
from tfrecords_tools.synthetic.native.base import NativeImage
from tfrecords_tools.synthetic.objects.dogs_bodies import dog
from tfrecords_tools.synthetic.objects.dogs_parts import GROUND, Breed
from tfrecords_tools.synthetic.paint import BLACK, WHITE
from tfrecords_tools.synthetic.parts import ground_shadow
from tfrecords_tools.synthetic.picture import Picture
from tfrecords_tools.synthetic.vector import Sketch

KEY = "dogs"

_TAN, _FAWN, _CREAM = (190, 122, 66), (222, 186, 138), (240, 222, 190)
_COAL, _LIVER, _GOLD = (44, 40, 42), (104, 62, 42), (222, 168, 92)
_GREY, _SNOW = (116, 122, 132), (240, 238, 232)

BREEDS = {
    "Chihuahua": Breed(
        coat=_FAWN, ear_colour=(206, 158, 112), ear="bat", tail="thin",
        snout=0.1, leg=0.8, head=1.12, belly=_CREAM,
    ),
    "Shih-Tzu": Breed(
        coat=_SNOW, ear_colour=(150, 112, 82), ear="drop", tail="curl",
        snout=0.03, leg=0.5, head=1.05, hair="silky",
        saddle=(168, 130, 98), belly=_SNOW,
    ),
    "beagle": Breed(
        coat=_TAN, ear_colour=(160, 96, 50), ear="drop", tail="thin",
        snout=0.18, leg=0.65, saddle=_COAL, belly=_SNOW, socks=_SNOW,
        muzzle=_SNOW, blaze=_SNOW,
    ),
    "black-and-tan_coonhound": Breed(
        coat=_COAL, ear_colour=(58, 50, 50), ear="long", tail="thin",
        snout=0.28, leg=0.95, socks=_TAN, muzzle=_TAN,
    ),
    "golden_retriever": Breed(
        coat=_GOLD, ear_colour=(196, 138, 68), ear="drop", tail="plume",
        snout=0.22, leg=0.8, hair="long",
    ),
    "German_short-haired_pointer": Breed(
        coat=_SNOW, ear_colour=_LIVER, ear="drop", tail="docked",
        snout=0.26, leg=1.0, ticks=_LIVER, muzzle=_LIVER,
    ),
    "Border_collie": Breed(
        coat=_COAL, ear_colour=(52, 48, 50), ear="tip", tail="plume",
        snout=0.2, leg=0.75, hair="long", belly=_SNOW, socks=_SNOW,
        muzzle=_SNOW, blaze=_SNOW,
    ),
    "Siberian_husky": Breed(
        coat=_GREY, ear_colour=(98, 104, 114), ear="prick", tail="curl",
        snout=0.18, leg=0.8, belly=_SNOW, socks=_SNOW, muzzle=_SNOW,
    ),
    "pug": Breed(
        coat=_FAWN, ear_colour=BLACK, ear="button", tail="curl", snout=0.02,
        leg=0.5, head=1.1, muzzle=BLACK,
    ),
    "standard_poodle": Breed(
        coat=WHITE, ear_colour=WHITE, ear="drop", tail="pom", snout=0.26,
        leg=1.0, head=0.95, hair="curly",
    ),
}  # fmt: skip
CLASS_NAMES: tuple[str, ...] = tuple(BREEDS)

_BACKDROPS = (backdrops.meadow, backdrops.room, backdrops.street)
_POODLES = ((226, 222, 216), (62, 58, 60), (214, 172, 128), (128, 100, 84))
_PAIR_SHARE = 0.3


def draw_image(rng: np.random.Generator, side: int) -> NativeImage:
    """A square picture with one or two dogs of a breed."""
    picture = Picture(side)
    backdrop = _BACKDROPS[int(rng.integers(len(_BACKDROPS)))]
    horizon = backdrop(picture, rng)
    name = CLASS_NAMES[int(rng.integers(len(CLASS_NAMES)))]
    is_pair = rng.random() < _PAIR_SHARE
    feet = np.sort(rng.uniform(min(horizon + 0.15, 0.8), 0.97, 1 + is_pair))
    for foot in feet:
        _add_dog(picture, rng, name, foot, 0.33 if is_pair else 0.42)
    lit = backdrops.light(rng, picture)
    pixels = picture.finish(rng, light=lit, grain=rng.uniform(0, 5))
    return picture.native(pixels)


def _add_dog(
    picture: Picture,
    rng: np.random.Generator,
    name: str,
    foot: float,
    largest: float,
) -> None:
    posture = "sit" if rng.random() < 0.35 else "stand"
    where = _where(rng, foot, largest)
    shadow = Sketch()
    ground_shadow(shadow, 0.75, x=-0.05, y=GROUND - 0.01)
    sketch = dog(_wavering(rng, BREEDS[name]), posture)
    if not picture.placed:
        picture.paint(shadow, where)
    picture.place(
        name, sketch, where, shading=0.2, least_inside=0.0, least_left=0.6
    )


def _where(rng: np.random.Generator, foot: float, largest: float) -> Affine:
    scale = rng.uniform(0.2, largest)
    return pose(
        rng.uniform(0.9 * scale, 1 - 0.9 * scale),
        foot - GROUND * scale,
        scale,
        angle=rng.uniform(-0.06, 0.06),
        flipped=rng.random() < 0.5,
        stretch=rng.uniform(0.88, 1.15),
    )


def _wavering(rng: np.random.Generator, breed: Breed) -> Breed:
    """The breed with a dog's own tint; poodles come in several."""
    if breed.hair == "curly":
        coat = paint.near(rng, paint.one_of(rng, _POODLES), 0.05)
        ear = paint.darker(coat, 0.12)
        return dataclasses.replace(breed, coat=coat, ear_colour=ear)
    amount = rng.uniform(0, 0.2)
    change = paint.darker if rng.random() < 0.5 else paint.lighter
    return dataclasses.replace(
        breed,
        coat=change(paint.near(rng, breed.coat, 0.04), amount),
        ear_colour=change(breed.ear_colour, amount),
    )
