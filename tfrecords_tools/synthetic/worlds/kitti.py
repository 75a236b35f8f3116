"""The farthest target: a road as a driving car sees it.

Nothing of the source's composition holds: pictures are twice as wide as high,
one perspective rules them all, size follows from distance, and so most
objects are small and near the horizon. Vehicles are seen from behind or from
ahead in perspective, not in profile; people are thin and far. Only walkers,
crossing cars and cyclists share parts with the source. Classes are KITTI's
types; `DontCare` is a far cluster of vehicles nobody could tell apart. Files
are PNGs.
"""

import dataclasses

import numpy as np

from tfrecords_tools.synthetic import backdrops, paint
from tfrecords_tools.synthetic.affine import IDENTITY, Affine, pose
from tfrecords_tools.synthetic.native.base import NativeImage
from tfrecords_tools.synthetic.objects import THINGS, traffic
from tfrecords_tools.synthetic.objects.people import cyclist
from tfrecords_tools.synthetic.picture import Picture
from tfrecords_tools.synthetic.road_camera import Camera
from tfrecords_tools.synthetic.roadside import ROAD_EDGE, paint_road
from tfrecords_tools.synthetic.vector import Sketch

KEY = "kitti"
CLASS_NAMES = ("Car", "Pedestrian", "Van", "Truck", "Cyclist", "DontCare")

_ASPECT = 2.0
_SHARES = (0.56, 0.26, 0.06, 0.04, 0.08)
_COUNTS = (3, 9)
_NEAREST, _FARTHEST = 4.5, 38.0
_REGION_SHARE = 0.15
_AWAY, _TOWARDS, _CROSSING = -1.57, 1.57, 0.0
_LANES = ((0.0, False), (3.9, False), (3.9, False), (-3.6, True), (-3.6, True))
"""Middle of a lane in metres, and whether its traffic comes towards one."""


@dataclasses.dataclass(frozen=True, slots=True)
class _RoadUser:
    sketch: Sketch
    where: Affine
    rotation: float


def draw_image(rng: np.random.Generator, side: int) -> NativeImage:
    """One picture, `side` pixels high and twice as wide."""
    picture = Picture(side, aspect=_ASPECT, fineness=2)
    camera = Camera(
        x=picture.aspect * rng.uniform(0.42, 0.58),
        horizon=rng.uniform(0.42, 0.5),
    )
    paint_road(picture, camera, rng)
    if rng.random() < _REGION_SHARE:
        picture.place("DontCare", _far_cluster(rng, camera), IDENTITY)
    count = int(rng.integers(_COUNTS[0], _COUNTS[1] + 1))
    distances = _NEAREST * (_FARTHEST / _NEAREST) ** rng.random(count)
    for z in sorted(distances.tolist(), reverse=True):
        name = str(rng.choice(CLASS_NAMES[:-1], p=_SHARES))
        user = _road_user(name, rng, camera, z)
        picture.place(
            name,
            user.sketch,
            user.where,
            flags={"rotation_y": user.rotation},
            least_inside=0.4,
            least_left=0.4,
        )
    pixels = picture.finish(
        rng,
        light=backdrops.light(rng, picture, depth=0.3),
        grain=rng.uniform(1, 4),
        blur=rng.uniform(0.2, 0.5),
    )
    return picture.native(pixels, png=True)


def _road_user(
    name: str, rng: np.random.Generator, camera: Camera, z: float
) -> _RoadUser:
    if name == "Pedestrian":
        sketch = THINGS["person"].draw(rng)
        is_crossing = rng.random() < 0.2
        x = rng.uniform(0.6, 2.2) + ROAD_EDGE
        x = rng.uniform(-5, 5) if is_crossing else x * rng.choice([-1, 1])
        return _flat(sketch, camera, rng, x, z, half=0.9)
    if name == "Cyclist":
        x = rng.uniform(2, 5) * rng.choice([-1, 1])
        return _flat(cyclist(rng), camera, rng, x, z, half=0.9)
    if name == "Car" and z > 12 and rng.random() < 0.15:
        x = rng.uniform(-8, 8)
        return _flat(THINGS["car"].draw(rng), camera, rng, x, z, half=2.0)
    lane, is_oncoming = _LANES[int(rng.integers(len(_LANES)))]
    shape = _shape(name, is_oncoming)
    x = lane + rng.uniform(-0.4, 0.4)
    sketch = traffic.vehicle(
        camera, shape, _lacquer(rng), x, z, is_oncoming=is_oncoming
    )
    rotation = _TOWARDS if is_oncoming else _AWAY
    return _RoadUser(sketch, IDENTITY, rotation)


def _shape(name: str, is_oncoming: bool) -> traffic.Shape:
    if name == "Van":
        return traffic.VAN
    if name == "Truck":
        return traffic.TRUCK
    return traffic.CAR_FROM_AHEAD if is_oncoming else traffic.CAR_FROM_BEHIND


def _flat(
    sketch: Sketch,
    camera: Camera,
    rng: np.random.Generator,
    x: float,
    z: float,
    *,
    half: float,
) -> _RoadUser:
    """A sketch upright on the road at (x, z); `half` its half size, metres."""
    foot = camera.project([(x, 0.0, z)])[0]
    scale = half * camera.scale(z)
    flipped = bool(rng.random() < 0.5)
    where = pose(float(foot[0]), float(foot[1]) - scale, scale, flipped=flipped)
    return _RoadUser(sketch, where, _CROSSING)


def _far_cluster(rng: np.random.Generator, camera: Camera) -> Sketch:
    """Three vehicles in a row at 50 to 60 m."""
    cluster = Sketch()
    first = rng.uniform(-9, 6)
    for i in range(3):
        x, z = first + 1.5 * i, 60 - 4 * i
        cluster.add(
            traffic.vehicle(
                camera,
                traffic.CAR_FROM_BEHIND,
                _lacquer(rng),
                x,
                z,
                is_oncoming=False,
            )
        )
    return cluster


def _lacquer(rng: np.random.Generator) -> paint.Colour:
    """Mostly grey, white, black or silver, as on roads."""
    if rng.random() < 0.6:
        return paint.hsv(rng.random(), 0.04, rng.uniform(0.15, 0.95))
    return paint.hsv(
        rng.random(), rng.uniform(0.5, 0.85), rng.uniform(0.35, 0.8)
    )
