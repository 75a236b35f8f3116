"""Record files of all ten against boxes that were worked out by hand.

`expected/records/<key>.json` has, for each image, boxes as [name, label,
xmin, ymin, xmax, ymax, flag ...] in continuous pixels of the stored image,
clipped. Nothing that wrote the records helps to read them here.
"""

import hashlib
import io
import json
import struct

import numpy as np
import pytest
from PIL import Image

from object_detection_patch.od_api import compat
from tfrecords_tools import __main__ as command_line
from tfrecords_tools.converters import SPLITS, converters

compat.enable()

import tensorflow as tf  # noqa: E402

_OPTIONS = {"pet": ["--eval_images", "2"], "rpc": ["--eval_images", "1"]}
_FLAGS = ("difficult", "is_crowd", "group_of", "truncated", "depiction")
_CASES = [(key, split) for key in converters() for split in SPLITS]
_SIDES = ("xmin", "ymin", "xmax", "ymax")
_COUNTS = ("dropped", "re_encoded", "unusable", "remarks")


@pytest.fixture(scope="module")
def converted(tmp_path_factory, dataset_builder, pictures):
    """Maps a key to (its fixture, the folder of its records)."""
    folders = {}

    def convert(key):
        if key not in folders:
            root = tmp_path_factory.mktemp(key)
            data_dir, output_dir = root / "data", root / "records"
            data_dir.mkdir()
            dataset_builder(key).build(data_dir, pictures)
            arguments = [
                *("convert", key),
                *("--data_dir", str(data_dir)),
                *("--output_dir", str(output_dir)),
                *("--num_shards", "1", "--jobs", "1"),
                "--allow_count_mismatch",
                *_OPTIONS.get(key, ()),
            ]
            assert command_line.main(arguments) == 0
            folders[key] = data_dir, output_dir
        return folders[key]

    return convert


def by_hand(expected, key, split):
    return expected(f"records/{key}")[split]


def read_records(folder, key, split):
    """The examples of the split's only file, in its order."""
    data = (folder / f"{key}_{split}.record-00000-of-00001").read_bytes()
    start, examples = 0, []
    while start < len(data):
        (length,) = struct.unpack_from("<Q", data, start)
        payload = data[start + 12 : start + 12 + length]
        assert len(payload) == length
        examples.append(tf.train.Example.FromString(payload))
        start += length + 16
    assert start == len(data)
    return examples


def values(example, key):
    """Values of a feature; None if there is no such feature."""
    if key not in example.features.feature:
        return None
    feature = example.features.feature[key]
    kind = feature.WhichOneof("kind")
    return list(getattr(feature, kind).value) if kind else []


def text(example, key):
    (value,) = values(example, key)
    return value.decode()


@pytest.mark.parametrize(("key", "split"), _CASES)
def test_images_are_those_listed_in_the_order_of_the_list(
    converted, expected, key, split
):
    images = by_hand(expected, key, split)["images"]
    names = ("filename", "source_id", "format")
    found = [
        {
            **{name: text(example, f"image/{name}") for name in names},
            "width": values(example, "image/width"),
            "height": values(example, "image/height"),
        }
        for example in read_records(converted(key)[1], key, split)
    ]
    assert found == [
        {
            **{name: image[name] for name in names},
            "width": [image["width"]],
            "height": [image["height"]],
        }
        for image in images
    ]


@pytest.mark.parametrize(("key", "split"), _CASES)
def test_boxes_are_the_fractions_worked_out_by_hand(
    converted, expected, key, split
):
    images = by_hand(expected, key, split)["images"]
    examples = read_records(converted(key)[1], key, split)
    for example, image in zip(examples, images, strict=True):
        lengths = [image["width"], image["height"]] * 2
        for number, side in enumerate(_SIDES):
            wanted = [
                np.float32(box[2 + number] / lengths[number])
                for box in image["boxes"]
            ]
            stored = values(example, f"image/object/bbox/{side}")
            assert stored == wanted, (image["filename"], side)


@pytest.mark.parametrize(("key", "split"), _CASES)
def test_classes_and_flags_are_those_of_the_boxes(
    converted, expected, key, split
):
    images = by_hand(expected, key, split)["images"]
    examples = read_records(converted(key)[1], key, split)
    for example, image in zip(examples, images, strict=True):
        boxes = image["boxes"]
        names = values(example, "image/object/class/text")
        labels = values(example, "image/object/class/label")
        assert [name.decode() for name in names] == [box[0] for box in boxes]
        assert labels == [box[1] for box in boxes]
        for flag in _FLAGS:
            wanted = [int(flag in box[6:]) for box in boxes]
            stored = values(example, f"image/object/{flag}")
            if stored is None:  # Only some datasets have it.
                assert flag != "difficult" and not any(wanted)
            else:
                assert stored == wanted, (image["filename"], flag)


@pytest.mark.parametrize(("key", "split"), _CASES)
def test_tensorflow_decodes_pixels_of_the_stated_size(
    converted, expected, key, split
):
    images = by_hand(expected, key, split)["images"]
    examples = read_records(converted(key)[1], key, split)
    signatures = {"jpeg": b"\xff\xd8\xff", "png": b"\x89PNG"}
    for example, image in zip(examples, images, strict=True):
        (encoded,) = values(example, "image/encoded")
        pixels = tf.io.decode_image(encoded, channels=3)
        assert pixels.shape == (image["height"], image["width"], 3)
        assert encoded.startswith(signatures[image["format"]])
        digest = hashlib.sha256(encoded).hexdigest()
        assert text(example, "image/key/sha256") == digest


@pytest.mark.parametrize(("key", "split"), _CASES)
def test_the_report_counts_what_was_counted_by_hand(
    converted, expected, key, split
):
    hand = by_hand(expected, key, split)
    path = converted(key)[1] / f"{key}_{split}_report.json"
    counts = json.loads(path.read_text("utf-8"))["counts"]
    assert {name: counts[name] for name in _COUNTS} == {
        name: hand[name] for name in _COUNTS
    }
    written = len(hand["images"])
    unusable = sum(hand["unusable"].values())
    assert counts["images"] == {
        "annotated": written + unusable,
        "written": written,
        "without boxes": hand["without_boxes"],
    }
    kept = sum(len(image["boxes"]) for image in hand["images"])
    assert counts["boxes"] == {
        "annotated": kept + sum(hand["dropped"].values()),
        "kept": kept,
        "clipped": hand["clipped"],
    }


@pytest.mark.parametrize("key", list(converters()))
def test_bytes_change_only_for_images_that_are_stored_anew(
    converted, expected, key
):
    data_dir, output_dir = converted(key)
    original = {
        path.read_bytes() for path in data_dir.rglob("*") if path.is_file()
    }
    for split in SPLITS:
        anew = sum(
            values(example, "image/encoded")[0] not in original
            for example in read_records(output_dir, key, split)
        )
        hand = by_hand(expected, key, split)
        assert anew == sum(hand["re_encoded"].values())


def test_inks_become_the_colours_that_viewers_show(converted):
    data_dir, output_dir = converted("pet")
    (example,) = (
        example
        for example in read_records(output_dir, "pet", "train")
        if text(example, "image/source_id") == "beagle_2"
    )
    (encoded,) = values(example, "image/encoded")
    with Image.open(io.BytesIO(encoded)) as stored:
        assert stored.mode == "RGB"
    with Image.open(data_dir / "images" / "beagle_2.jpg") as inks:
        assert inks.mode == "CMYK"
        shown = np.asarray(inks.convert("RGB"), int)
    pixels = tf.io.decode_jpeg(encoded).numpy().astype(int)
    assert np.abs(pixels - shown).max() <= 3
