"""The far task: digits zero to five in pen strokes on a noisy page.

Almost everything differs from the source world: thin open lines instead of
filled areas, grey instead of colour, ruled lines, strong noise, little room
for rotation.
"""

import numpy as np

from tfrecords_tools.synthetic import glyphs, palette, textures
from tfrecords_tools.synthetic.placement import find_place, random_pose
from tfrecords_tools.synthetic.raster import Pose, stroke_mask
from tfrecords_tools.synthetic.scene import Scene

KEY = "digits"
CLASS_NAMES = glyphs.NAMES

_MAX_TILT = np.radians(15)


def draw_scene(rng: np.random.Generator, side: int) -> Scene:
    """A noisy ruled page with one to three digits, dark on light or not."""
    page, ink = _page_and_ink(rng)
    stains = textures.clouds(rng, side, 6)
    scene = Scene(textures.mix(stains, page, page + 0.25 * (ink - page)))
    _rule(scene, rng, page + 0.45 * (ink - page))
    for _ in range(rng.integers(1, 4)):
        _add_digit(scene, rng, ink)
    scene.pixels += textures.grain(rng, side, rng.uniform(0.06, 0.14))
    return scene


def _page_and_ink(
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    tint, strength = rng.random(), rng.uniform(0.0, 0.15)
    light = palette.hsv(tint, strength, rng.uniform(0.7, 0.95))
    dark = palette.hsv(tint, strength, rng.uniform(0.05, 0.25))
    return (light, dark) if rng.random() < 0.5 else (dark, light)


def _rule(scene: Scene, rng: np.random.Generator, colour: np.ndarray) -> None:
    spacing = rng.uniform(0.14, 0.22)
    line = np.array([[-1.0, 0.0], [1.0, 0.0]])
    for y in np.arange(rng.uniform(0, spacing), 1, spacing):
        pose = Pose(centre=(0.5, float(y)), radius=0.6)
        scene.paint(
            stroke_mask((line,), pose, scene.side, thickness=0.012), colour
        )


def _add_digit(scene: Scene, rng: np.random.Generator, ink: np.ndarray) -> None:
    name = CLASS_NAMES[rng.integers(len(CLASS_NAMES))]

    def draw_mask() -> np.ndarray:
        pose = random_pose(
            rng, diameter=(0.3, 0.5), max_angle=_MAX_TILT, max_stretch=1.15
        )
        thickness = pose.radius * rng.uniform(0.16, 0.3)
        return stroke_mask(
            glyphs.strokes(name), pose, scene.side, thickness=thickness
        )

    coverage = find_place(scene, draw_mask, max_overlap=0.05)
    if coverage is not None:
        scene.place(name, coverage, ink)
