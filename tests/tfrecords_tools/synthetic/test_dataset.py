"""The drawn datasets: boxes on the ink, seeds, files, and their bytes."""

import io

import numpy as np
import pytest
from PIL import Image

from tfrecords_tools.label_map import read_label_map
from tfrecords_tools.synthetic import (
    WORLDS,
    dataset_files,
    draw_dataset,
    label_map,
    write_demo_datasets,
)
from tfrecords_tools.synthetic.scene import INK, ink_box

ARGUMENTS = {"images": 5, "eval_images": 3, "size": 48, "seed": 7}


def draw(world, split="train", *, count=6, size=64, seed=7):
    return list(draw_dataset(world, split, count=count, size=size, seed=seed))


def brute_force_box(visible):
    """Smallest box over all inked pixels, one pixel at a time."""
    inked = [
        (x, y)
        for y, row in enumerate(visible.tolist())
        for x, value in enumerate(row)
        if value >= INK
    ]
    xs, ys = zip(*inked, strict=True)
    return min(xs), min(ys), max(xs) + 1, max(ys) + 1


@pytest.mark.parametrize("world", WORLDS)
def test_boxes_are_tight_on_the_visible_ink(world):
    labels = {item.name: item.id for item in label_map(world)}
    for seed in range(12):
        scene = WORLDS[world].draw_scene(np.random.default_rng(seed), 64)
        boxes = scene.annotate(labels)
        assert 1 <= len(boxes) <= 4
        for box, drawn in zip(boxes, scene.objects, strict=True):
            assert box.edges == brute_force_box(drawn.visible)
            assert labels[drawn.name] == box.label


@pytest.mark.parametrize("world", WORLDS)
def test_an_object_changes_pixels_only_where_its_mask_says(world):
    """Ties masks to the picture: inside an object differs from around it."""
    differing = 0
    for seed in range(20):
        scene = WORLDS[world].draw_scene(np.random.default_rng(seed), 96)
        mask = scene.objects[-1].visible > 0.9
        others = sum(o.drawn for o in scene.objects) > 0.1
        inside = scene.pixels[mask].mean(axis=0)
        outside = scene.pixels[~others].mean(axis=0)
        differing += np.linalg.norm(inside - outside) > 0.15
    assert differing >= 16


@pytest.mark.parametrize("world", WORLDS)
def test_objects_stay_mostly_visible(world):
    for seed in range(30):
        scene = WORLDS[world].draw_scene(np.random.default_rng(seed), 64)
        for drawn in scene.objects:
            assert drawn.visible.sum() > 0.55 * drawn.drawn.sum()


@pytest.mark.parametrize("world", WORLDS)
def test_images_are_png_of_the_size_asked_for(world):
    for image in draw(world, count=2):
        with Image.open(io.BytesIO(image.encoded)) as picture:
            assert (picture.format, picture.mode) == ("PNG", "RGB")
            assert picture.size == (64, 64) == (image.width, image.height)


@pytest.mark.parametrize("world", WORLDS)
def test_every_class_is_drawn(world):
    images = draw(world, count=120, size=48)
    drawn = {(box.name, box.label) for image in images for box in image.objects}
    names = WORLDS[world].CLASS_NAMES
    assert drawn == set(zip(names, range(1, len(names) + 1), strict=True))


def test_image_depends_on_world_split_index_and_seed_alone():
    images = draw("shapes", count=4)
    assert draw("shapes", count=2) == images[:2]
    variants = [
        images[0],
        images[1],
        draw("shapes", "eval", count=1)[0],
        draw("shapes", count=1, seed=8)[0],
        draw("stripes", count=1)[0],
    ]
    assert len({image.encoded for image in variants}) == len(variants)


def test_sizes_show_the_same_scene():
    small, large = (draw("shapes", count=1, size=s)[0] for s in (64, 128))
    assert [b.name for b in small.objects] == [b.name for b in large.objects]
    for a, b in zip(small.objects, large.objects, strict=True):
        np.testing.assert_allclose(fractions(a), fractions(b), atol=4 / 128)


def fractions(box):
    return box.xmin, box.ymin, box.xmax, box.ymax


def test_far_task_has_other_statistics_than_the_source():
    """Share of ink in the box: digits are thin, shapes are filled."""
    ink = {}
    for world in WORLDS:
        scenes = [
            WORLDS[world].draw_scene(np.random.default_rng(seed), 64)
            for seed in range(40)
        ]
        ink[world] = np.mean(
            [_ink_share(o.drawn) for scene in scenes for o in scene.objects]
        )
    assert ink["digits"] < 0.65 * ink["shapes"]
    assert 0.85 < ink["stripes"] / ink["shapes"] < 1.15


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"world": "cats"}, "one of shapes, stripes, digits. .*: 'cats'"),
        ({"split": "test"}, "`split` must be one of train, eval. .*: 'test'"),
        ({"count": 0}, r"`count` must lie in \[1, 1000000\]. Received: 0"),
        ({"size": 47}, r"`size` must lie in \[48, 1024\]. Received: 47"),
        ({"size": 1025}, "Received: 1025"),
        ({"seed": -1}, "`seed` must lie in .* Received: -1"),
    ],
)
def test_bad_arguments_are_refused_before_the_first_image(change, message):
    good = {"world": "shapes", "split": "train"}
    good |= {"count": 1, "size": 48, "seed": 7}
    with pytest.raises(ValueError, match=message):
        draw_dataset(**(good | change))


def test_written_datasets_read_back_with_tensorflow(tmp_path):
    import tensorflow as tf

    done = []
    files = write_demo_datasets(tmp_path, **ARGUMENTS, progress=done.append)
    assert list(files) == list(WORLDS)
    assert done == [1] * 3 * (5 + 3)
    for world, dataset in files.items():
        assert dataset == dataset_files(tmp_path, world)
        assert read_label_map(dataset.label_map) == label_map(world)
        assert dataset.num_classes == len(label_map(world))
        assert dataset.contact_sheet.is_file()
        for pattern, count in ((dataset.train, 5), (dataset.eval, 3)):
            split = "train" if count == 5 else "eval"
            expected = draw(world, split, count=count, size=48)
            paths = tf.io.gfile.glob(str(pattern))
            read = _read(tf, paths)
            assert read == {
                image.source_id: (
                    image.encoded,
                    [b.name for b in image.objects],
                )
                for image in expected
            }


def test_second_run_gives_the_same_bytes_and_replaces_damage(tmp_path):
    write_demo_datasets(tmp_path, **ARGUMENTS)
    first = _contents(tmp_path)
    damaged = sorted(first)[0]
    (tmp_path / damaged).write_bytes(b"damaged")
    write_demo_datasets(tmp_path, **ARGUMENTS)
    assert _contents(tmp_path) == first
    assert len(first) == 3 * (2 * 2 + 2)


def _ink_share(coverage):
    xmin, ymin, xmax, ymax = ink_box(coverage)
    return coverage.sum() / ((xmax - xmin) * (ymax - ymin))


def _contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def _read(tf, paths):
    read = {}
    for record in tf.data.TFRecordDataset(paths).as_numpy_iterator():
        feature = tf.train.Example.FromString(record).features.feature
        names = feature["image/object/class/text"].bytes_list.value
        source_id = feature["image/source_id"].bytes_list.value[0].decode()
        encoded = feature["image/encoded"].bytes_list.value[0]
        read[source_id] = (encoded, [name.decode() for name in names])
    return read
