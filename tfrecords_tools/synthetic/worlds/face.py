"""Faces: none to forty of them, from five pixels to half the frame.

Four kinds of picture: portraits (1 to 3), groups (3 to 10), loose crowds (10
to 30, sizes spread over a factor of six) and stands with rows of people (12
to 40). About 2 % show nobody's face, only backs. The box holds forehead to
chin, without hair and hat. Persons nearer hide those behind; masks, hands,
sunglasses and placards hide more.

Flags say what was really drawn: `blur` 0, 1, 2 (the picture is smeared
there), `occlusion` 0, 1, 2 (by the share that is hidden), `invalid` (too
little left to know it as a face), `expression`, `illumination`, `pose`.
"""

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from tfrecords_tools.synthetic import backdrops, paint
from tfrecords_tools.synthetic.affine import pose
from tfrecords_tools.synthetic.native.base import NativeImage, NativeObject
from tfrecords_tools.synthetic.objects import (
    face_crowds,
    face_parts,
    fine_backdrops,
)
from tfrecords_tools.synthetic.objects.face_crowds import Spot
from tfrecords_tools.synthetic.picture import Picture
from tfrecords_tools.synthetic.vector import Sketch

KEY = "face"
CLASS_NAMES: tuple[str, ...] = ("face",)

_Smear = tuple[Spot, int]
"""Where a face is, and its `blur`."""

_KINDS = {"portrait": 0.2, "group": 0.33, "crowd": 0.22, "stand": 0.25}
_BACKDROPS = (
    backdrops.street,
    backdrops.room,
    backdrops.meadow,
    fine_backdrops.foliage,
)
_LEAST_PIXELS, _DETAILED_PIXELS = 5.4, 9.2
_FACELESS_SHARE = 0.02
_BLUR_SHARES = (0.74, 0.17, 0.09)
_BLUR_RADII = (0.0, 0.13, 0.3)
"""Of half a face's height."""
_COVER_SHARE = 0.12
_DARK_SHARE = 0.12


def draw_image(rng: np.random.Generator, side: int) -> NativeImage:
    """A square picture of people."""
    picture = Picture(side)
    is_faceless = bool(rng.random() < _FACELESS_SHARE)
    is_dark = bool(rng.random() < _DARK_SHARE)
    smears: list[_Smear] = []
    for spot in _scene(picture, rng):
        if is_faceless:
            person = face_parts.random_person(rng)
            where = pose(*spot)
            picture.paint(face_parts.seen_from_the_back(person), where)
        else:
            smears.append((spot, _add_person(picture, rng, spot, is_dark)))
    lit = backdrops.light(rng, picture) * np.float32(0.45 if is_dark else 1)
    pixels = _smeared(picture.finish(rng, light=lit), smears)
    image = picture.native(_grainy(rng, pixels))
    objects = tuple(_judged(item) for item in image.objects)
    return dataclasses.replace(image, objects=objects)


def _add_person(
    picture: Picture, rng: np.random.Generator, spot: Spot, is_dark: bool
) -> int:
    """Draws somebody with a face; returns its blur."""
    person = face_parts.random_person(rng)
    where = pose(*spot, angle=rng.uniform(-0.15, 0.15))
    detailed = 2 * spot[2] * picture.height > _DETAILED_PIXELS
    blur = int(rng.choice(3, p=_BLUR_SHARES))
    picture.paint(face_parts.behind(person, detailed=detailed), where)
    picture.place(
        "face",
        face_parts.face(person, detailed=detailed),
        where,
        flags={
            "blur": blur,
            "expression": int(person.is_shouting),
            "illumination": int(is_dark),
            "pose": int(abs(person.turn) > 0.5),
        },
        least_left=0.0,
        least_inside=0.4,
    )
    if rng.random() < _COVER_SHARE:
        picture.paint(face_parts.cover(rng, person), where)
    return blur


def _scene(picture: Picture, rng: np.random.Generator) -> Iterator[Spot]:
    """Paints what is behind, and gives the people's places, far ones first."""
    smallest = _LEAST_PIXELS / 2 / picture.height
    kind = str(rng.choice(list(_KINDS), p=list(_KINDS.values())))
    if kind == "stand":
        return _stand(picture, rng, smallest)
    backdrop = _BACKDROPS[int(rng.integers(len(_BACKDROPS)))]
    horizon = backdrop(picture, rng)
    if kind == "portrait":
        sizes = face_crowds.sizes(rng, int(rng.integers(1, 4)), 0.09, 0.24)
    elif kind == "group":
        sizes = face_crowds.sizes(rng, int(rng.integers(3, 11)), 0.045, 0.13)
    else:
        count = int(rng.integers(10, 31))
        sizes = face_crowds.sizes(rng, count, smallest, 3 * smallest)
        # A few come close to the camera.
        sizes[-3:] *= rng.uniform(1, 2, len(sizes[-3:]))
        sizes.sort()
    return face_crowds.standing(rng, sizes, horizon)


def _stand(
    picture: Picture, rng: np.random.Generator, smallest: float
) -> Iterator[Spot]:
    """A stand under a wall, before the people sit down."""
    wall, seat = paint.muted(rng), paint.muted(rng)
    fine_backdrops.haze(picture, rng, paint.darker(wall), wall, 4)
    people = int(rng.integers(12, 38))
    rows = face_crowds.rows(rng, 1.15 * smallest, 2.2 * smallest, people)
    seats = Sketch()
    seats.rectangle(0, rows[0][0], 1, 1.01, paint.darker(seat, 0.4))
    for y, size in rows:
        seats.rectangle(0, y + size, 1, y + 1.6 * size, seat)
    picture.paint(seats)
    return face_crowds.seated(rng, rows)


def _judged(item: NativeObject) -> NativeObject:
    """The face with flags that follow from what can be seen of it."""
    occlusion = sum(item.visible < limit for limit in (0.95, 0.7))
    height = item.ymax - item.ymin
    invalid = item.visible < 0.5 or (item.flags["blur"] == 2 and height < 7)
    flags = {**item.flags, "occlusion": occlusion, "invalid": int(invalid)}
    return dataclasses.replace(item, flags=flags)


def _smeared(pixels: np.ndarray, smears: Sequence[_Smear]) -> np.ndarray:
    """The picture with some of the faces out of focus."""
    image = Image.fromarray(pixels)
    for (x, y, size), blur in smears:
        if blur:
            spot = (x * image.width, y * image.height, size * image.height)
            _smear(image, spot, max(0.6, _BLUR_RADII[blur] * spot[2]))
    return np.asarray(image)


def _smear(image: Image.Image, spot: Spot, radius: float) -> None:
    """Blurs an oval a little larger than the face, with a soft edge."""
    x, y, size = spot
    reach = 1.3 * size + 2
    window = (
        max(round(x - reach), 0),
        max(round(y - reach), 0),
        min(round(x + reach), image.width),
        min(round(y + reach), image.height),
    )
    piece = image.crop(window)
    mask = Image.new("L", piece.size)
    inner = (1, 1, piece.width - 2, piece.height - 2)
    ImageDraw.Draw(mask).ellipse(inner, fill=255)
    soft = mask.filter(ImageFilter.BoxBlur(1))
    image.paste(
        piece.filter(ImageFilter.GaussianBlur(radius)), window[:2], soft
    )


def _grainy(rng: np.random.Generator, pixels: np.ndarray) -> np.ndarray:
    noise = rng.standard_normal((*pixels.shape[:2], 1), dtype=np.float32)
    noisy = pixels + noise * np.float32(rng.uniform(0, 5))
    return np.clip(noisy, 0, 255).astype(np.uint8)
