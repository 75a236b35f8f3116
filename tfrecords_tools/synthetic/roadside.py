"""The scene of the road world: sky, road, pavements, houses, trees."""

import numpy as np

from tfrecords_tools.synthetic import paint
from tfrecords_tools.synthetic.affine import pose
from tfrecords_tools.synthetic.paint import Colour
from tfrecords_tools.synthetic.picture import Picture
from tfrecords_tools.synthetic.road_camera import Camera, Points3D
from tfrecords_tools.synthetic.vector import Sketch

ROAD_EDGE = 5.6
"""Metres from the middle of the own lane to either kerb."""
_LANE_LINES = (-1.8, 1.8)
_FAR, _NEAR = 140.0, 1.0
_LEAVES: tuple[Colour, ...] = (paint.LEAF, (96, 142, 60), (190, 122, 56))
_CROWN = (
    (-0.36, 0.0, 0.4, 0.2),
    (0.36, -0.04, 0.4, 0.2),
    (0.0, -0.2, 0.5, 0.08),
    (-0.1, -0.5, 0.42, 0.0),
)
"""Circles of a tree's crown: x, y, radius, how much darker."""
_VERGES: tuple[Colour, ...] = (
    (128, 152, 88),
    (152, 148, 138),
    (170, 160, 128),
)


def paint_road(
    picture: Picture, camera: Camera, rng: np.random.Generator
) -> None:
    """Paints everything that is no road user."""
    sky = paint.hsv(rng.uniform(0.54, 0.62), rng.uniform(0.02, 0.4), 0.96)
    picture.gradient(sky, paint.lighter(sky, 0.7), end=camera.horizon + 0.02)
    verge = paint.near(rng, paint.one_of(rng, _VERGES), 0.05)
    picture.gradient(paint.mix(verge, sky, 0.3), verge, start=camera.horizon)
    pen = Sketch()
    _hedge(pen, camera, rng, picture.aspect)
    _road(pen, camera, rng)
    sides = [_side(rng) for _ in range(2)]
    for z in np.arange(52, 3, -8):
        for sign, is_built in zip((-1, 1), sides, strict=True):
            if is_built:
                _facade(pen, camera, rng, sign, float(z))
            elif rng.random() < 0.7:
                _tree(pen, camera, rng, sign * rng.uniform(7.5, 12), float(z))
    picture.paint(pen)


def _side(rng: np.random.Generator) -> bool:
    """Whether one side of the road is built up."""
    return bool(rng.random() < 0.5)


def _hedge(
    pen: Sketch, camera: Camera, rng: np.random.Generator, aspect: float
) -> None:
    """The blurred far end of the view."""
    xs = np.linspace(-0.2, aspect + 0.2, 9)
    tops = camera.horizon - rng.uniform(0.02, 0.09, 9)
    foot = camera.horizon + 0.03
    crest = list(zip(xs, tops, strict=True))
    pen.polygon([*crest, (xs[-1], foot), (xs[0], foot)], (136, 156, 142))


def _road(pen: Sketch, camera: Camera, rng: np.random.Generator) -> None:
    asphalt = paint.hsv(0.6, 0.05, rng.uniform(0.38, 0.58))
    kerb = paint.lighter(asphalt, 0.3)
    for edge, colour in ((ROAD_EDGE + 2.2, kerb), (ROAD_EDGE, asphalt)):
        lane = _strip(-edge, edge, _NEAR, _FAR)
        pen.polygon(camera.project(lane), colour)
    phase = rng.uniform(0, 6)
    marks = [
        _strip(x - 0.07, x + 0.07, z, z + 2.6)
        for x in _LANE_LINES
        for z in np.arange(50 + phase, 2, -6)
    ]
    seen = camera.project(np.concatenate(marks))
    for corners in seen.reshape(-1, 4, 2):
        pen.polygon(corners, paint.WHITE)


def _strip(x0: float, x1: float, z0: float, z1: float) -> np.ndarray:
    """Corners of a box on the ground."""
    return np.array([(x0, 0, z0), (x1, 0, z0), (x1, 0, z1), (x0, 0, z1)])


def _facade(
    pen: Sketch,
    camera: Camera,
    rng: np.random.Generator,
    sign: int,
    z: float,
) -> None:
    """One house along the pavement, 8 m deep, with rows of windows."""
    x, height = sign * (ROAD_EDGE + 3.2), rng.uniform(5, 10)
    wall = paint.hsv(
        rng.uniform(0, 0.14), rng.uniform(0.06, 0.4), rng.uniform(0.5, 0.85)
    )
    pen.polygon(camera.project(_wall(x, 0, height, z, z + 8)), wall)
    front = [(x, 0.0, z), (4 * x, 0.0, z), (4 * x, height, z), (x, height, z)]
    pen.polygon(camera.project(front), paint.darker(wall, 0.2))
    pane = paint.darker(wall, 0.55)
    windows = [
        _wall(x, y, y + 1.5, at, at + 1.7)
        for y in np.arange(1.2, height - 1.4, 2.7)
        for at in (z + 1.0, z + 4.4)
    ]
    seen = camera.project(np.concatenate(windows))
    for corners in seen.reshape(-1, 4, 2):
        pen.polygon(corners, pane)


def _wall(x: float, y0: float, y1: float, z0: float, z1: float) -> Points3D:
    """A box in the upright plane at x, along the road."""
    return [(x, y0, z0), (x, y0, z1), (x, y1, z1), (x, y1, z0)]


def _tree(
    pen: Sketch,
    camera: Camera,
    rng: np.random.Generator,
    x: float,
    z: float,
) -> None:
    half = rng.uniform(2, 3.2)
    foot = camera.project([(x, 0, z)])[0]
    scale = half * camera.scale(z)
    leaf = paint.near(rng, paint.one_of(rng, _LEAVES), 0.08)
    with pen.posed(pose(float(foot[0]), float(foot[1]) - scale, scale)):
        pen.rectangle(-0.1, 0.1, 0.1, 1, paint.WOOD)
        if rng.random() < 0.3:
            pen.polygon([(-0.6, 0.5), (0, -1), (0.6, 0.5)], leaf)
            return
        for dx, dy, radius, shadow in _CROWN:
            pen.circle(dx, dy, radius, paint.darker(leaf, shadow))
