"""The source world: eight drawn shapes in varied colour, light and clutter.

Meant to teach a base model edges, fills and silhouettes under everything that
is not the class: hue, texture, light, rotation, scale from 15 to 60 % of the
side, shadows, overlap, sensor noise.
"""

import numpy as np
from PIL import Image, ImageFilter

from tfrecords_tools.synthetic import palette, silhouettes, textures
from tfrecords_tools.synthetic.clutter import pebble, thread
from tfrecords_tools.synthetic.placement import find_place, random_pose
from tfrecords_tools.synthetic.raster import fill_mask
from tfrecords_tools.synthetic.scene import Scene

KEY = "shapes"
CLASS_NAMES = silhouettes.NAMES

_SMALL, _LARGE = (0.15, 0.24), (0.24, 0.6)
_SMALL_SHARE = 0.2
_TWIG_SHARE = 0.25


def draw_scene(rng: np.random.Generator, side: int) -> Scene:
    """A picture with one to four shapes."""
    scene = Scene(_background(rng, side))
    _add_clutter(scene, rng)
    for _ in range(rng.integers(1, 5)):
        _add_shape(scene, rng)
    if rng.random() < _TWIG_SHARE:
        twig = thread(rng, side, thickness=0.02)
        scene.paint(twig, palette.muted(rng) * 0.5)
    scene.shade(_light(rng, side))
    scene.pixels += textures.grain(rng, side, rng.uniform(0, 0.05))
    return scene


def _background(rng: np.random.Generator, side: int) -> np.ndarray:
    low, high = palette.muted(rng), palette.muted(rng)
    field = textures.gradient(rng, side)
    if rng.random() < 0.6:
        cells = int(rng.integers(3, 9))
        field = 0.5 * field + 0.5 * textures.clouds(rng, side, cells)
    return textures.mix(field, low, high)


def _add_clutter(scene: Scene, rng: np.random.Generator) -> None:
    mood = palette.muted(rng)
    for _ in range(rng.integers(0, 4)):
        coverage = pebble(rng, scene.side, radius=rng.uniform(0.03, 0.09))
        scene.paint(0.6 * coverage, mood)
    for _ in range(rng.integers(0, 3)):
        thickness = rng.uniform(0.008, 0.025)
        coverage = thread(rng, scene.side, thickness=thickness)
        scene.paint(0.7 * coverage, palette.muted(rng))


def _add_shape(scene: Scene, rng: np.random.Generator) -> None:
    name = CLASS_NAMES[rng.integers(len(CLASS_NAMES))]

    def draw_mask() -> np.ndarray:
        diameter = _SMALL if rng.random() < _SMALL_SHARE else _LARGE
        pose = random_pose(rng, diameter=diameter, max_stretch=1.1)
        return fill_mask(silhouettes.outline(name), pose, scene.side)

    coverage = find_place(scene, draw_mask, max_overlap=0.5)
    if coverage is None:
        return
    behind = scene.colour_behind(coverage)
    _cast_shadow(scene, rng, coverage)
    colour = palette.contrasting(rng, palette.vivid, behind)
    scene.place(name, coverage, _fill(rng, scene.side, colour))


def _fill(
    rng: np.random.Generator, side: int, colour: np.ndarray
) -> np.ndarray:
    """Plain, shaded, cloudy or speckled; always close to the colour."""
    kind = rng.integers(4)
    if kind == 0:
        return colour
    if kind == 1:
        return textures.mix(
            textures.gradient(rng, side), 0.6 * colour, 1.25 * colour
        )
    if kind == 2:
        cells = int(rng.integers(4, 12))
        field = textures.clouds(rng, side, cells)
        return textures.mix(field, 0.65 * colour, 1.2 * colour)
    return colour + textures.grain(rng, side, 0.08)


def _cast_shadow(
    scene: Scene, rng: np.random.Generator, coverage: np.ndarray
) -> None:
    reach = 0.03 * scene.side
    dx, dy = rng.uniform(-reach, reach, 2).round().astype(int)
    mask = Image.fromarray((coverage * 255).astype(np.uint8))
    shadow = Image.new("L", mask.size)
    shadow.paste(mask, (int(dx), int(dy)))
    soft = shadow.filter(ImageFilter.BoxBlur(0.02 * scene.side))
    depth = rng.uniform(0.15, 0.5) / 255
    scene.shade(1 - depth * np.asarray(soft, dtype=np.float32))


def _light(rng: np.random.Generator, side: int) -> np.ndarray:
    ambient = rng.uniform(0.65, 0.95)
    return ambient + rng.uniform(0.1, 0.45) * textures.spotlight(rng, side)
