"""Road users in perspective: boxes with faces, wheels, lamps and panes.

Unlike the other objects these sketches are in picture coordinates.
"""

import dataclasses

import numpy as np

from tfrecords_tools.synthetic import paint
from tfrecords_tools.synthetic.paint import Colour
from tfrecords_tools.synthetic.road_camera import Camera, Points3D
from tfrecords_tools.synthetic.vector import Sketch

_PANE: Colour = (46, 56, 68)
_RED: Colour = (204, 36, 34)
_LAMP: Colour = (255, 246, 214)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A vehicle's measures in metres; z runs from its near end.

    Args:
        waist: height of the edge below the panes.
        cabin: z of the cabin's near and far end at the waist, and at the roof.
    """

    width: float
    height: float
    length: float
    waist: float
    cabin: tuple[float, float, float, float]


CAR_FROM_BEHIND = Shape(
    width=1.75, height=1.5, length=4.1, waist=0.92, cabin=(0.1, 3.1, 0.6, 2.2)
)
CAR_FROM_AHEAD = Shape(
    width=1.75, height=1.5, length=4.1, waist=0.9, cabin=(1.0, 4.0, 1.8, 3.5)
)
VAN = Shape(
    width=1.95,
    height=2.25,
    length=5.0,
    waist=1.25,
    cabin=(0.02, 4.2, 0.15, 3.6),
)
TRUCK = Shape(
    width=2.5, height=3.4, length=7.5, waist=3.3, cabin=(0.0, 7.4, 0.0, 7.4)
)


class _Builder:
    """Collects flat faces given in metres around a vehicle's near end."""

    def __init__(self) -> None:
        self._faces: list[np.ndarray] = []
        self._colours: list[Colour] = []

    def sketch(self, camera: Camera, x: float, z: float) -> Sketch:
        """All faces as a camera sees them, the near end at (x, 0, z)."""
        pen = Sketch()
        stacked = np.concatenate(self._faces) + (x, 0.0, z)
        ends = np.cumsum([len(face) for face in self._faces])
        seen = np.split(camera.project(stacked), ends[:-1])
        for corners, colour in zip(seen, self._colours, strict=True):
            pen.polygon(corners, colour)
        return pen

    def face(self, corners: Points3D, colour: Colour) -> None:
        """A flat polygon; corners (x, y, z)."""
        self._faces.append(np.asarray(corners, dtype=np.float64))
        self._colours.append(colour)

    def bar(
        self,
        x0: float,
        x1: float,
        y0: float,
        y1: float,
        colour: Colour,
        z: float = 0.0,
    ) -> None:
        """An upright box that faces the camera."""
        self.face([(x0, y0, z), (x1, y0, z), (x1, y1, z), (x0, y1, z)], colour)


def vehicle(
    camera: Camera,
    shape: Shape,
    colour: Colour,
    x: float,
    z: float,
    *,
    is_oncoming: bool,
) -> Sketch:
    """A vehicle along the road, its near end's middle at (x, 0, z)."""
    build = _Builder()
    half = shape.width / 2
    edge = half + 0.15
    build.face(
        [
            (-edge, 0, -0.2),
            (edge, 0, -0.2),
            (edge, 0, shape.length),
            (-edge, 0, shape.length),
        ],
        paint.veil(paint.BLACK, 0.5),
    )
    if abs(x) > half:
        _side(
            build, shape, paint.darker(colour, 0.22), -half if x > 0 else half
        )
    _top(build, shape, colour)
    _end(build, shape, colour, is_oncoming)
    return build.sketch(camera, x, z)


def _side(build: _Builder, shape: Shape, colour: Colour, x: float) -> None:
    near, far, near_top, far_top = shape.cabin
    end, inner = shape.length, 0.86 * x
    build.face(
        [
            (x, 0.25, 0),
            (x, 0.25, end),
            (x, shape.waist, end),
            (x, shape.waist, 0),
        ],
        colour,
    )
    build.face(
        [
            (x, shape.waist, near),
            (inner, shape.height, near_top),
            (inner, shape.height, far_top),
            (x, shape.waist, far),
        ],
        colour,
    )
    if shape is not TRUCK:
        low, high = shape.waist + 0.04, shape.height - 0.1
        middle = (near + far) / 2
        for a, b, c, d in (
            (near + 0.25, middle - 0.06, near_top + 0.08, middle - 0.06),
            (middle + 0.06, far - 0.3, middle + 0.06, far_top - 0.08),
        ):
            build.face(
                [(x, low, a), (inner, high, c), (inner, high, d), (x, low, b)],
                _PANE,
            )
    turns = 2 * np.pi * np.arange(14) / 14
    for z in (0.18 * end, 0.8 * end):
        for radius, tint in ((0.34, paint.BLACK), (0.2, paint.STEEL)):
            rim = [
                np.full(14, x),
                0.34 + radius * np.cos(turns),
                z + radius * np.sin(turns),
            ]
            build.face(np.stack(rim, axis=1), tint)


def _top(build: _Builder, shape: Shape, colour: Colour) -> None:
    """Roof and bonnet, where the camera looks down on them."""
    half, inner = shape.width / 2, 0.43 * shape.width
    near, _, near_top, far_top = shape.cabin
    build.face(
        [
            (-inner, shape.height, near_top),
            (inner, shape.height, near_top),
            (inner, shape.height, far_top),
            (-inner, shape.height, far_top),
        ],
        paint.lighter(colour, 0.2),
    )
    build.face(
        [
            (-half, shape.waist, 0),
            (half, shape.waist, 0),
            (half, shape.waist, near),
            (-half, shape.waist, near),
        ],
        paint.lighter(colour, 0.25),
    )


def _end(
    build: _Builder, shape: Shape, colour: Colour, is_oncoming: bool
) -> None:
    """The end that faces the camera, with lamps, plate and wheels."""
    half, inner = shape.width / 2, 0.43 * shape.width
    near, _, near_top, _ = shape.cabin
    for sign in (-1, 1):
        low, high = sorted((sign * (half - 0.3), sign * (half - 0.04)))
        build.bar(low, high, 0.0, 0.4, paint.BLACK)
    build.bar(-half, half, 0.22, shape.waist, colour)
    build.face(
        [
            (-half, shape.waist, near),
            (half, shape.waist, near),
            (inner, shape.height, near_top),
            (-inner, shape.height, near_top),
        ],
        colour,
    )
    if shape is TRUCK:
        build.bar(-0.03, 0.03, 0.6, 3.2, paint.darker(colour, 0.35))
        build.bar(-half, half, 0.4, 0.62, paint.BLACK)
    else:
        high = 0.88 * near_top + 0.12 * near
        build.face(
            [
                (-0.9 * half, shape.waist + 0.05, near),
                (0.9 * half, shape.waist + 0.05, near),
                (0.9 * inner, shape.height - 0.1, high),
                (-0.9 * inner, shape.height - 0.1, high),
            ],
            _PANE,
        )
    lamp = _LAMP if is_oncoming else _RED
    foot = 0.62 if shape is not TRUCK else 0.42
    for sign in (-1, 1):
        low, high = sorted((sign * (half - 0.36), sign * (half - 0.05)))
        build.bar(low, high, foot, foot + 0.18, lamp)
    build.bar(-half, half, 0.22, 0.4, paint.darker(colour, 0.35))
    if is_oncoming:
        build.bar(-0.42, 0.42, 0.5, 0.64, paint.BLACK)
    build.bar(-0.26, 0.26, 0.38, 0.5, paint.WHITE)
