"""What every drawn world must hold, and what the general ones promise."""

import functools
import io

import numpy as np
import pytest
from PIL import Image

from tfrecords_tools.synthetic.objects import SCENES, THINGS
from tfrecords_tools.synthetic.worlds import worlds

SIDE = 96
KEYS = sorted(worlds())
_IMAGES = 25
_MOST_IMAGES = 400
_NO_OBJECT = 255
"""What some worlds mark although it is no object, such as a pet's body."""


@functools.cache
def sample(key: str, count: int = _IMAGES) -> tuple:
    return tuple(draw(key, seed) for seed in range(count))


def draw(key: str, seed: int):
    return worlds()[key].draw_image(np.random.default_rng([seed, 5]), SIDE)


def test_worlds_are_found_by_their_files():
    assert {"coco", "kitti", "oid", "voc"} <= set(KEYS)
    for key, world in worlds().items():
        assert world.__name__.rpartition(".")[2] == key


@pytest.mark.parametrize("key", KEYS)
def test_class_names_are_distinct(key):
    names = worlds()[key].CLASS_NAMES
    assert len(set(names)) == len(names) > 0


@pytest.mark.parametrize("key", KEYS)
def test_boxes_are_tight_around_the_owned_pixels(key):
    for image in sample(key):
        for number, item in enumerate(image.objects, start=1):
            rows, columns = np.nonzero(image.owners == number)
            assert (item.xmin, item.xmax) == (columns.min(), columns.max() + 1)
            assert (item.ymin, item.ymax) == (rows.min(), rows.max() + 1)


@pytest.mark.parametrize("key", KEYS)
def test_boxes_lie_inside_and_no_pixel_belongs_to_another(key):
    for image in sample(key):
        owners = image.owners[image.owners != _NO_OBJECT]
        assert owners.max(initial=0) == len(image.objects)
        for item in image.objects:
            assert 0 <= item.xmin < item.xmax <= image.width
            assert 0 <= item.ymin < item.ymax <= image.height
            assert 0 < item.visible <= 1


@pytest.mark.parametrize("key", KEYS)
def test_files_hold_pictures_of_the_stated_size(key):
    for image in sample(key)[:5]:
        picture = Image.open(io.BytesIO(image.encoded))
        assert picture.mode == "RGB"
        assert picture.size == (image.width, image.height)
        assert image.owners.shape == (image.height, image.width)
        assert image.owners.dtype == np.uint8


@pytest.mark.parametrize("key", KEYS)
def test_equal_seeds_give_equal_images(key):
    for seed in (1, 2):
        one, other = draw(key, seed), draw(key, seed)
        assert one.encoded == other.encoded
        assert one.objects == other.objects and one.flags == other.flags
        np.testing.assert_array_equal(one.owners, other.owners)


@pytest.mark.parametrize("key", KEYS)
def test_other_seeds_give_other_images(key):
    images = sample(key)
    assert len({image.encoded for image in images}) == len(images)


@pytest.mark.parametrize("key", KEYS)
def test_every_class_occurs_and_no_other(key):
    missing = set(worlds()[key].CLASS_NAMES)
    known = frozenset(missing)
    for seed in range(_MOST_IMAGES):
        names = {item.name for item in draw(key, seed).objects}
        assert names <= known
        missing -= names
        if not missing:
            return
    pytest.fail(f"not drawn in {_MOST_IMAGES} images: {sorted(missing)}")


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("side", [64, 200])
def test_other_sides_are_drawn_too(key, side):
    image = worlds()[key].draw_image(np.random.default_rng(1), side)
    assert image.height == side


def test_coco_and_voc_draw_things_of_the_source():
    sizes = {key: len(worlds()[key].CLASS_NAMES) for key in ("coco", "voc")}
    assert sizes == {"coco": 16, "voc": 10}
    assert len(worlds()["oid"].CLASS_NAMES) == len(THINGS) >= 40


def test_coco_is_busier_than_voc():
    counts = {
        key: np.mean([len(image.objects) for image in sample(key)])
        for key in ("coco", "voc")
    }
    assert counts["coco"] > 2 * counts["voc"]


def test_crowds_are_flagged():
    def has_flag(key: str, flag: str) -> bool:
        images = (draw(key, seed) for seed in range(_MOST_IMAGES))
        return any(flag in o.flags for image in images for o in image.objects)

    assert has_flag("coco", "iscrowd")
    assert has_flag("oid", "group_of")


def test_kitti_is_a_wide_png_of_small_objects():
    images = sample("kitti")
    assert all(image.encoded.startswith(b"\x89PNG") for image in images)
    assert all(image.width == 2 * image.height for image in images)
    heights = [o.ymax - o.ymin for image in images for o in image.objects]
    assert np.median(heights) < 0.2 * SIDE


def test_things_belong_to_known_scenes():
    for thing in THINGS.values():
        assert thing.scenes and set(thing.scenes) <= set(SCENES)
        assert thing.stance in ("ground", "air", "wall")


@pytest.mark.parametrize("name", sorted(THINGS))
def test_a_thing_fills_its_square(name):
    for seed in range(5):
        sketch = THINGS[name].draw(np.random.default_rng(seed))
        solid = np.concatenate([p.points for p in sketch.parts if p.is_solid])
        extent = solid.max(axis=0) - solid.min(axis=0)
        assert np.abs(solid).max() < 1.25
        assert 1.4 < extent.max() < 2.3
