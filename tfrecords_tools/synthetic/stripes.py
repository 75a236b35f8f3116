"""The near task: five of the shapes as printed cloth, striped or dotted.

Silhouettes are those of the source world, so its features still decide the
class; fills and palette are new, and stripes put strong edges inside.
"""

import numpy as np

from tfrecords_tools.synthetic import palette, silhouettes, textures
from tfrecords_tools.synthetic.placement import find_place, random_pose
from tfrecords_tools.synthetic.raster import fill_mask
from tfrecords_tools.synthetic.scene import Scene

KEY = "stripes"
CLASS_NAMES = ("circle", "triangle", "star", "cross", "heart")


def draw_scene(rng: np.random.Generator, side: int) -> Scene:
    """A pastel cloth with one to three patterned shapes."""
    cloth = palette.pastel(rng)
    weave = textures.clouds(rng, side, 24)
    scene = Scene(textures.mix(weave, 0.92 * cloth, cloth))
    for _ in range(rng.integers(1, 4)):
        _add_shape(scene, rng)
    scene.shade(0.85 + 0.15 * textures.gradient(rng, side))
    scene.pixels += textures.grain(rng, side, 0.015)
    return scene


def _add_shape(scene: Scene, rng: np.random.Generator) -> None:
    name = CLASS_NAMES[rng.integers(len(CLASS_NAMES))]

    def draw_mask() -> np.ndarray:
        pose = random_pose(rng, diameter=(0.25, 0.6), max_stretch=1.1)
        return fill_mask(silhouettes.outline(name), pose, scene.side)

    coverage = find_place(scene, draw_mask, max_overlap=0.3)
    if coverage is not None:
        cloth = scene.colour_behind(coverage)
        scene.place(name, coverage, _pattern(rng, scene.side, cloth))


def _pattern(
    rng: np.random.Generator, side: int, cloth: np.ndarray
) -> np.ndarray:
    """Two inks that both stand out from the cloth: the outline must show."""
    draw_field = textures.stripes if rng.random() < 0.6 else textures.dots
    field = draw_field(rng, side, rng.uniform(0.06, 0.13))
    ground = palette.deep(rng)
    ink = palette.contrasting(rng, palette.vivid, cloth, ground)
    return textures.mix(field, ground, ink)
