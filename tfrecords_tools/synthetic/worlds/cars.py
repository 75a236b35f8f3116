"""Cars: one car an image; shape and fittings decide the model, paint never.

Nine models, any colour. Boxes: a Hummer has a roof rack and a slatted
grille, a Wrangler the same grille but a cloth roof, round lamps and a spare
wheel. Vans share one shape: the cargo van has a blind side and a bare roof,
the minivan windows and a rack. Coupes: one has twin stripes, one a spoiler.
The Volvo is the sedan with square corners, the Ford has a bed, the smart is
short with a dark frame. Seen from the side (either way) or the front, in a
street, a showroom or a meadow; a post or bush may stand before one end.
"""

import numpy as np

from tfrecords_tools.synthetic import backdrops, paint
from tfrecords_tools.synthetic.affine import Affine, pose
from tfrecords_tools.synthetic.native.base import NativeImage
from tfrecords_tools.synthetic.objects import fine_backdrops
from tfrecords_tools.synthetic.objects.cars_front import front_view
from tfrecords_tools.synthetic.objects.cars_parts import GROUND, Model
from tfrecords_tools.synthetic.objects.cars_side import side_view
from tfrecords_tools.synthetic.parts import ground_shadow
from tfrecords_tools.synthetic.picture import Picture
from tfrecords_tools.synthetic.vector import Sketch

KEY = "cars"

_VAN = (
    (-1, 0.28), (-1, -0.45), (-0.93, -0.58), (0.3, -0.58), (0.62, -0.2),
    (0.95, -0.1), (1, 0.05), (1, 0.28),
)  # fmt: skip
_VAN_DOOR = ((0.02, -0.48), (0.24, -0.48), (0.5, -0.16), (0.02, -0.16))

MODELS = {
    "AM General Hummer SUV 2000": Model(
        outline=(
            (-1, 0.24), (-1, -0.5), (-0.95, -0.6), (0.26, -0.6),
            (0.36, -0.2), (0.95, -0.17), (1, -0.1), (1, 0.24),
        ),
        panes=(
            ((-0.92, -0.5), (-0.58, -0.5), (-0.58, -0.2), (-0.92, -0.2)),
            ((-0.5, -0.5), (-0.18, -0.5), (-0.18, -0.2), (-0.5, -0.2)),
            ((-0.1, -0.5), (0.19, -0.5), (0.27, -0.2), (-0.1, -0.2)),
        ),
        wheels=(-0.6, 0.64), tyre=0.26, grille="slats", half_width=0.72,
        roof=-0.58, bonnet=-0.14, rack=True,
    ),
    "Acura Integra Type R 2001": Model(
        outline=(
            (-0.98, 0.28), (-1, -0.08), (-0.78, -0.18), (-0.35, -0.42),
            (0.1, -0.43), (0.45, -0.13), (0.9, -0.03), (1, 0.1), (0.98, 0.28),
        ),
        panes=(
            ((-0.62, -0.17), (-0.32, -0.35), (-0.2, -0.36), (-0.2, -0.14)),
            ((-0.14, -0.36), (0.07, -0.36), (0.31, -0.12), (-0.14, -0.13)),
        ),
        wheels=(-0.6, 0.62), grille="slot", roof=-0.4, bonnet=-0.04,
        spoiler=True,
    ),
    "Chrysler Town and Country Minivan 2012": Model(
        outline=_VAN,
        panes=(
            ((-0.92, -0.48), (-0.52, -0.48), (-0.52, -0.16), (-0.94, -0.16)),
            ((-0.45, -0.48), (-0.05, -0.48), (-0.05, -0.16), (-0.45, -0.16)),
            _VAN_DOOR,
        ),
        wheels=(-0.62, 0.6), roof=-0.56, half_width=0.6, rack=True,
    ),
    "Dodge Challenger SRT8 2011": Model(
        outline=(
            (-0.98, 0.28), (-1, -0.12), (-0.72, -0.18), (-0.4, -0.42),
            (0.0, -0.43), (0.28, -0.17), (0.94, -0.1), (1, 0.04), (0.98, 0.28),
        ),
        panes=(
            ((-0.58, -0.18), (-0.36, -0.35), (-0.28, -0.36), (-0.28, -0.15)),
            ((-0.2, -0.36), (-0.03, -0.36), (0.16, -0.16), (-0.2, -0.15)),
        ),
        wheels=(-0.6, 0.6), grille="bars", roof=-0.4, bonnet=-0.06,
        stripes=True,
    ),
    "Ford F-150 Regular Cab 2012": Model(
        outline=(
            (-1, 0.24), (-1, -0.14), (-0.2, -0.14), (-0.19, -0.56),
            (0.2, -0.58), (0.42, -0.2), (0.94, -0.15), (1, 0.0), (1, 0.24),
        ),
        panes=(
            ((-0.1, -0.48), (0.14, -0.48), (0.3, -0.18), (-0.1, -0.18)),
        ),
        wheels=(-0.6, 0.62), tyre=0.23, grille="bars", half_width=0.66,
        roof=-0.56, bonnet=-0.12,
    ),
    "Jeep Wrangler SUV 2012": Model(
        outline=(
            (-0.82, 0.22), (-0.84, -0.3), (-0.8, -0.6), (0.14, -0.6),
            (0.24, -0.2), (0.8, -0.17), (0.82, 0.22),
        ),
        panes=(
            ((-0.72, -0.5), (-0.4, -0.5), (-0.4, -0.22), (-0.74, -0.22)),
            ((-0.3, -0.5), (0.06, -0.5), (0.14, -0.18), (-0.3, -0.18)),
        ),
        wheels=(-0.5, 0.54), tyre=0.26, grille="slats", half_width=0.58,
        roof=-0.58, bonnet=-0.14, round_lamps=True, spare=True,
        soft_top=True,
    ),
    "Ram C/V Cargo Van Minivan 2012": Model(
        outline=_VAN, panes=(_VAN_DOOR,), wheels=(-0.62, 0.6), roof=-0.56,
        grille="square", half_width=0.6,
    ),
    "Volvo 240 Sedan 1993": Model(
        outline=(
            (-1, 0.28), (-1, -0.13), (-0.62, -0.16), (-0.48, -0.48),
            (0.2, -0.48), (0.4, -0.16), (1, -0.13), (1, 0.28),
        ),
        panes=(
            ((-0.52, -0.16), (-0.42, -0.39), (-0.16, -0.39), (-0.16, -0.15)),
            ((-0.08, -0.39), (0.15, -0.39), (0.28, -0.15), (-0.08, -0.15)),
        ),
        wheels=(-0.58, 0.62), grille="square", roof=-0.46, bonnet=-0.1,
    ),
    "smart fortwo Convertible 2012": Model(
        outline=(
            (-0.58, 0.26), (-0.62, -0.1), (-0.5, -0.55), (-0.2, -0.62),
            (0.15, -0.56), (0.4, -0.16), (0.6, -0.06), (0.62, 0.26),
        ),
        panes=(
            ((-0.12, -0.48), (0.1, -0.46), (0.3, -0.14), (-0.12, -0.12)),
        ),
        wheels=(-0.4, 0.4), grille="slot", half_width=0.5, roof=-0.6,
        cell=True, round_lamps=True,
    ),
}  # fmt: skip
CLASS_NAMES: tuple[str, ...] = tuple(MODELS)

_BACKDROPS = (
    backdrops.street,
    backdrops.street,
    fine_backdrops.showroom,
    backdrops.meadow,
)
_FRONT_SHARE = 0.35
_GREYS = ((232, 232, 230), (44, 46, 52), (160, 166, 172), (104, 106, 112))


def draw_image(rng: np.random.Generator, side: int) -> NativeImage:
    """A square picture with one car."""
    picture = Picture(side)
    backdrop = _BACKDROPS[int(rng.integers(len(_BACKDROPS)))]
    where = _where(rng, backdrop(picture, rng))
    name = CLASS_NAMES[int(rng.integers(len(CLASS_NAMES)))]
    colour = paint.vivid(rng)
    if rng.random() < 0.4:
        colour = paint.near(rng, paint.one_of(rng, _GREYS), 0.04)
    if rng.random() < _FRONT_SHARE:
        sketch, reach = front_view(MODELS[name], colour), 0.7
    else:
        rim = paint.darker(paint.STEEL, rng.uniform(0, 0.4))
        sketch, reach = side_view(MODELS[name], colour, rim), 1.05
    shadow = Sketch()
    ground_shadow(shadow, reach, y=GROUND - 0.01)
    picture.paint(shadow, where)
    picture.place(name, sketch, where, shading=0.2, least_inside=0.0)
    if rng.random() < 0.25:
        picture.paint(_obstacle(rng, where))
    lit = backdrops.light(rng, picture)
    pixels = picture.finish(rng, light=lit, grain=rng.uniform(0, 5))
    return picture.native(pixels)


def _where(rng: np.random.Generator, horizon: float) -> Affine:
    """On the ground, whole or with up to a tenth beyond the frame."""
    scale = rng.uniform(0.24, 0.46)
    foot = rng.uniform(min(max(horizon + 0.1, 0.62), 0.9), 0.93)
    return pose(
        rng.uniform(0.9 * scale, 1 - 0.9 * scale),
        foot - GROUND * scale,
        scale,
        angle=rng.uniform(-0.05, 0.05),
        flipped=rng.random() < 0.5,
        stretch=rng.uniform(0.85, 1.15),
    )


def _obstacle(rng: np.random.Generator, where: Affine) -> Sketch:
    """A post or a bush before one end of the car."""
    end = rng.choice((-0.9, -0.7, 0.75, 0.9))
    x, y = where.apply(np.array([(end, GROUND)]))[0]
    sketch = Sketch()
    if rng.random() < 0.5:
        steel = paint.near(rng, paint.GREY, 0.2)
        sketch.line([(x, -0.1), (x, y + 0.04)], 0.018, steel)
        return sketch
    green = paint.near(rng, paint.LEAF, 0.12)
    for dx, dy in ((-0.04, 0.0), (0.04, -0.01), (0.0, -0.05)):
        leaf = paint.lighter(green, -4 * dy)
        sketch.circle(x + dx, y + dy, 0.05, leaf)
    return sketch
