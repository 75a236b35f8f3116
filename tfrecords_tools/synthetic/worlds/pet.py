"""Pets: one cat or dog an image, annotated by the box of its head.

Five breeds of cats and five of dogs. Ears (tall, small, bat, hanging long),
face (mask, blaze, flat nose, wrinkled black muzzle), fur (smooth or tufted)
and marks (plain, spots, points) decide the breed; body and head agree. Heads
stand anywhere, so bodies often run out of the frame. The animal sits or lies
in a room, on a meadow or before a plain cloth. Owners hold 1 on the head and
BODY on the rest of the animal, from which a trimap can be made.
"""

import dataclasses

import numpy as np

from tfrecords_tools.synthetic import backdrops, paint
from tfrecords_tools.synthetic.affine import Affine, pose
from tfrecords_tools.synthetic.native.base import NativeImage
from tfrecords_tools.synthetic.objects.pet_bodies import body
from tfrecords_tools.synthetic.objects.pet_heads import head
from tfrecords_tools.synthetic.objects.pet_parts import Pet
from tfrecords_tools.synthetic.picture import Picture
from tfrecords_tools.synthetic.vector import Sketch

KEY = "pet"
BODY = 255
"""Value of `NativeImage.owners` where one sees the animal but not its head."""

_COAL, _SNOW, _TAN = (46, 44, 48), (242, 240, 236), (192, 126, 72)
_FAWN, _DARK = (224, 190, 146), (70, 52, 46)
_AMBER, _GREEN, _SKY = (230, 160, 50), (150, 190, 80), (90, 160, 225)
_HAZEL = (120, 76, 40)

PETS = {
    "Abyssinian": Pet(
        coat=(198, 132, 78), ear_colour=(186, 118, 66), eye_colour=_GREEN,
        ear="tall", is_cat=True, width=0.92,
    ),
    "beagle": Pet(
        coat=_TAN, ear_colour=(146, 88, 48), eye_colour=_HAZEL, ear="drop",
        is_cat=False, muzzle=_SNOW, blaze=_SNOW, saddle=_COAL, limbs=_SNOW,
    ),
    "Bengal": Pet(
        coat=(214, 162, 96), ear_colour=(196, 142, 80), eye_colour=_GREEN,
        ear="prick", is_cat=True, marks=_DARK, pattern="spots",
    ),
    "Bombay": Pet(
        coat=_COAL, ear_colour=(52, 48, 54), eye_colour=_AMBER, ear="prick",
        is_cat=True, muzzle=(62, 60, 66),
    ),
    "chihuahua": Pet(
        coat=_FAWN, ear_colour=(206, 164, 120), eye_colour=_HAZEL,
        ear="bat", is_cat=False, width=0.95,
    ),
    "english_cocker_spaniel": Pet(
        coat=(200, 138, 80), ear_colour=(168, 104, 56), eye_colour=_HAZEL,
        ear="long", is_cat=False, width=0.88, fluff=0.06,
    ),
    "Persian": Pet(
        coat=(196, 190, 186), ear_colour=(182, 174, 170), eye_colour=_AMBER,
        ear="small", is_cat=True, width=1.12, fluff=0.24, is_flat=True,
    ),
    "pug": Pet(
        coat=_FAWN, ear_colour=(38, 34, 36), eye_colour=_HAZEL,
        ear="button", is_cat=False, width=1.08, mask=(44, 38, 38),
        is_flat=True,
    ),
    "samoyed": Pet(
        coat=_SNOW, ear_colour=(232, 228, 222), eye_colour=_HAZEL,
        ear="prick", is_cat=False, width=1.08, fluff=0.22,
    ),
    "Siamese": Pet(
        coat=(236, 222, 200), ear_colour=_DARK, eye_colour=_SKY, ear="tall",
        is_cat=True, width=0.95, mask=(88, 66, 58), limbs=_DARK,
    ),
}  # fmt: skip
CLASS_NAMES: tuple[str, ...] = tuple(PETS)

_BACKDROPS = (
    backdrops.room,
    backdrops.room,
    backdrops.meadow,
    backdrops.blank,
)
_LEAST_INSIDE = {"sit": 0.6, "lie": 0.74}
"""So much that, behind its head too, no body is too hidden to be kept."""
_TINTS = ((196, 190, 186), (236, 206, 160), (126, 128, 138), (240, 236, 230))


def draw_image(rng: np.random.Generator, side: int) -> NativeImage:
    """A square picture with one pet."""
    picture = Picture(side)
    _BACKDROPS[int(rng.integers(len(_BACKDROPS)))](picture, rng)
    name = CLASS_NAMES[int(rng.integers(len(CLASS_NAMES)))]
    pet = _wavering(rng, name)
    posture = "sit" if rng.random() < 0.6 else "lie"
    trunk, where = body(pet, posture), _where(rng)
    inside = _LEAST_INSIDE[posture]
    while not picture.place("", trunk, where, least_inside=inside, shadow=0.2):
        where = _where(rng)
    tilt = pose(angle=rng.uniform(-0.3, 0.3))
    flags: dict[str, float | str] = {"species": 1 if pet.is_cat else 2}
    face = Sketch()
    face.add(head(pet), tilt)
    picture.place(
        name, face, where, flags=flags, shadow=0.25,
        least_inside=0.0, least_left=0.0,
    )  # fmt: skip
    lit = backdrops.light(rng, picture)
    pixels = picture.finish(rng, light=lit, grain=rng.uniform(0, 5))
    return _head_only(picture.native(pixels))


def _where(rng: np.random.Generator) -> Affine:
    """Pose of a head that lies in the frame, nearly or wholly."""
    scale = rng.uniform(0.1, 0.27)
    x, y = rng.uniform(0.85 * scale, 1 - 0.85 * scale, 2)
    return pose(
        x,
        y,
        scale,
        angle=rng.uniform(-0.08, 0.08),
        flipped=rng.random() < 0.5,
        stretch=rng.uniform(0.9, 1.12),
    )


def _wavering(rng: np.random.Generator, name: str) -> Pet:
    """The breed with a tint of its own; Persians come in several."""
    pet = PETS[name]
    coat = paint.one_of(rng, _TINTS) if name == "Persian" else pet.coat
    amount = rng.uniform(0, 0.16)
    change = paint.darker if rng.random() < 0.5 else paint.lighter
    return dataclasses.replace(
        pet,
        coat=change(paint.near(rng, coat, 0.04), amount),
        ear_colour=change(pet.ear_colour, amount),
    )


def _head_only(image: NativeImage) -> NativeImage:
    """Keeps the head as the only object, and the body in the owners."""
    new_owner = np.zeros(256, dtype=np.uint8)
    heads = []
    for number, item in enumerate(image.objects, start=1):
        new_owner[number] = 1 if item.name else BODY
        if item.name:
            heads.append(item)
    return dataclasses.replace(
        image, objects=tuple(heads), owners=new_owner[image.owners]
    )
