"""Birds: one bird an image; bill, crest, marks and tail decide its species.

Ten species in four families of colour, so that colour alone never tells: red
(crest and mask, black wings, or neither), blue (crest with belt and barred
wings, ragged crest with dagger bill, or plain), yellow (black cap and barred
wings, or streaked breast), brown (streaked breast, striped crown, or swept
crest with mask and yellow tail end). Colours waver from bird to bird. Birds
perch on a branch or fly, look left or right, before leaves, sky or water; a
leaf may hide a piece of them.
"""

import dataclasses

import numpy as np

from tfrecords_tools.synthetic import backdrops, paint
from tfrecords_tools.synthetic.affine import Affine, pose
from tfrecords_tools.synthetic.native.base import NativeImage
from tfrecords_tools.synthetic.objects import fine_backdrops
from tfrecords_tools.synthetic.objects.birds_parts import FEET, Species, bird
from tfrecords_tools.synthetic.paint import BLACK, WHITE, Colour
from tfrecords_tools.synthetic.picture import Picture
from tfrecords_tools.synthetic.vector import Sketch

KEY = "birds"

_RED, _BLUE = (206, 48, 44), (62, 104, 196)
_YELLOW, _BROWN = (240, 204, 48), (146, 108, 74)
_CREAM, _HORN, _SLATE = (234, 222, 198), (96, 92, 92), (60, 62, 70)
_RUST = (128, 62, 36)

SPECIES = {
    "American_Goldfinch": Species(
        back=_YELLOW, belly=_YELLOW, wing=BLACK, tail=BLACK, head=_YELLOW,
        bill="cone", bill_colour=(236, 150, 92), tail_shape="forked",
        cap=BLACK, bars=WHITE,
    ),
    "Belted_Kingfisher": Species(
        back=_BLUE, belly=WHITE, wing=_BLUE, tail=_BLUE, head=_BLUE,
        bill="dagger", bill_colour=_SLATE, crest="ragged", belt=_BLUE,
    ),
    "Blue_Jay": Species(
        back=_BLUE, belly=WHITE, wing=_BLUE, tail=_BLUE, head=_BLUE,
        bill="stout", bill_colour=_SLATE, crest="tall", tail_shape="long",
        bars=WHITE, belt=BLACK, tail_band=WHITE,
    ),
    "Cardinal": Species(
        back=_RED, belly=_RED, wing=(172, 38, 40), tail=(172, 38, 40),
        head=_RED, bill="cone", bill_colour=(240, 122, 40), crest="tall",
        tail_shape="long", mask=BLACK,
    ),
    "Cedar_Waxwing": Species(
        back=_BROWN, belly=(226, 206, 130), wing=(120, 112, 108),
        tail=(112, 106, 104), head=_BROWN, bill="stout", bill_colour=_SLATE,
        crest="swept", mask=BLACK, tail_band=_YELLOW,
    ),
    "Indigo_Bunting": Species(
        back=_BLUE, belly=_BLUE, wing=(46, 74, 150), tail=(46, 74, 150),
        head=_BLUE, bill="cone", bill_colour=(188, 188, 190),
    ),
    "Scarlet_Tanager": Species(
        back=_RED, belly=_RED, wing=BLACK, tail=BLACK, head=_RED,
        bill="stout", bill_colour=(198, 190, 160),
    ),
    "Song_Sparrow": Species(
        back=_BROWN, belly=_CREAM, wing=(122, 84, 56), tail=(122, 84, 56),
        head=_BROWN, bill="cone", bill_colour=_HORN, tail_shape="long",
        brow=_CREAM, streaks=(92, 58, 38),
    ),
    "White_crowned_Sparrow": Species(
        back=_BROWN, belly=(186, 182, 176), wing=(122, 84, 56),
        tail=(122, 84, 56), head=(186, 182, 176), bill="cone",
        bill_colour=(236, 160, 70), tail_shape="long", cap=BLACK,
        brow=WHITE, bars=WHITE,
    ),
    "Yellow_Warbler": Species(
        back=_YELLOW, belly=_YELLOW, wing=(176, 158, 60),
        tail=(176, 158, 60), head=_YELLOW, bill="thin", bill_colour=_SLATE,
        streaks=_RUST,
    ),
}  # fmt: skip
CLASS_NAMES: tuple[str, ...] = tuple(SPECIES)

_BACKDROPS = (
    fine_backdrops.foliage,
    fine_backdrops.foliage,
    fine_backdrops.sky,
    fine_backdrops.water,
)


def draw_image(rng: np.random.Generator, side: int) -> NativeImage:
    """A square picture with one bird."""
    picture = Picture(side)
    _BACKDROPS[int(rng.integers(len(_BACKDROPS)))](picture, rng)
    flying = rng.random() < 0.25
    where = _where(rng, flying)
    if not flying:
        picture.paint(_branch(rng, where))
    name = CLASS_NAMES[int(rng.integers(len(CLASS_NAMES)))]
    sketch = bird(_wavering(rng, SPECIES[name]), flying=flying)
    picture.place(name, sketch, where, shading=0.3, least_inside=0.0)
    if rng.random() < 0.3:
        picture.paint(_leaf(rng, where))
    lit = backdrops.light(rng, picture)
    pixels = picture.finish(rng, light=lit, grain=rng.uniform(0, 5))
    return picture.native(pixels)


def _where(rng: np.random.Generator, flying: bool) -> Affine:
    scale = rng.uniform(0.17, 0.38)
    room = 0.9 * scale
    x, y = rng.uniform(room, 1 - room, 2)
    angle = rng.uniform(0.1, 0.5) if flying else rng.uniform(-0.35, 0.25)
    flipped = rng.random() < 0.5
    return pose(
        x,
        y,
        scale,
        angle=-angle if flipped else angle,
        flipped=flipped,
        stretch=rng.uniform(0.9, 1.15),
    )


def _wavering(rng: np.random.Generator, species: Species) -> Species:
    """The species with a bird's own tint of every large part."""
    shift = rng.uniform(-22, 22, 3) + rng.uniform(-30, 16)

    def tinted(colour: Colour) -> Colour:
        moved = np.clip(np.array(colour) + shift, 0, 255)
        return tuple(int(channel) for channel in moved)

    return dataclasses.replace(
        species,
        back=tinted(species.back),
        belly=tinted(species.belly),
        wing=tinted(species.wing),
        tail=tinted(species.tail),
        head=tinted(species.head),
    )


def _branch(rng: np.random.Generator, where: Affine) -> Sketch:
    """A twig across the frame under the bird's feet."""
    foot = where.apply(np.array([(0.05, FEET + 0.06)]))[0]
    slope = rng.uniform(-0.25, 0.25)
    bark = paint.near(rng, (104, 78, 56), 0.1)
    width = rng.uniform(0.02, 0.045)
    ends = [(x, foot[1] + slope * (x - foot[0])) for x in (-0.1, 0.35, 1.1)]
    ends[1] = (foot[0], foot[1])
    sketch = Sketch()
    sketch.line(ends, width, bark)
    lit = [(x, y - 0.25 * width) for x, y in ends]
    sketch.line(lit, 0.3 * width, paint.lighter(bark, 0.2))
    for x, length in rng.random((3, 2)):
        y = foot[1] + slope * (x - foot[0])
        tip = (x + 0.12, y - 0.15 * (length - 0.4))
        sketch.line([(x, y), tip], 0.4 * width, bark)
        green = paint.near(rng, paint.LEAF, 0.15)
        sketch.ellipse(*tip, 0.05, 0.022, green, angle=3 * length)
    return sketch


def _leaf(rng: np.random.Generator, where: Affine) -> Sketch:
    """A leaf before the bird's rear or feet, which no species needs."""
    spot = np.array([(rng.uniform(-0.5, 0.2), rng.uniform(0.4, 0.8))])
    x, y = where.apply(spot)[0]
    colour = paint.near(rng, paint.LEAF, 0.15)
    sketch, angle = Sketch(), rng.uniform(-1, 1)
    size = 0.3 * where.scale
    sketch.ellipse(x, y, size, 0.4 * size, colour, angle=angle)
    rib = 0.9 * size * np.array([np.cos(angle), np.sin(angle)])
    ends = [(x - rib[0], y - rib[1]), (x + rib[0], y + rib[1])]
    sketch.line(ends, 0.006, paint.lighter(colour, 0.25))
    return sketch
