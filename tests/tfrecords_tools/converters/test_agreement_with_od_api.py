"""The OD API's own converters say the same about the same files.

Compared under `--box_convention odapi`: boxes, labels, texts and flags.
Intended differences, each told to the comparison below:

coco   its converter drops boxes that reach over the border and boxes without
       an area (ours drops the former only with --drop_out_of_bounds); crowds
       are also `difficult` in ours. It writes class texts alone, no labels.
voc    its source_id is the file name; it needs `folder`, pose and the flags
       that ours does without.
kitti  its `truncated` is a float, which ours keeps as `truncation`; names are
       whole paths.
pet    it loses every image that is no JPEG or has no XML; ours writes both.
       It keeps the bytes of a JPEG in CMYK, which ours stores anew.
oid    its flags keep -1 for unknown, which the decoder takes for true; ours
       are 0. It writes neither size nor format.
"""

import argparse
import csv
import importlib
import json
import warnings

import numpy as np
import pandas
import pytest

from object_detection_patch.od_api import compat
from tfrecords_tools import tf_example
from tfrecords_tools.boxes import BoxConvention
from tfrecords_tools.converters import converters
from tfrecords_tools.counts import Counts
from tfrecords_tools.images import ImageError
from tfrecords_tools.prepare import Rules, prepare
from tfrecords_tools.tf_example import Columns

compat.enable()

import tensorflow as tf  # noqa: E402
from absl import flags as absl_flags  # noqa: E402
from lxml import etree  # noqa: E402
from object_detection.utils import dataset_util  # noqa: E402

_ODAPI = Rules(convention=BoxConvention.ODAPI)
_BOXES = ("bbox/xmin", "bbox/ymin", "bbox/xmax", "bbox/ymax")
_LABEL = "class/label"
_IN_CMYK = "beagle_2"


@pytest.fixture
def script():
    """Imports scripts of the OD API, which all define the same flags."""
    before = set(absl_flags.FLAGS)

    def load(name):
        for flag in set(absl_flags.FLAGS) - before:
            delattr(absl_flags.FLAGS, flag)
        return importlib.import_module(f"object_detection.dataset_tools.{name}")

    yield load
    for flag in set(absl_flags.FLAGS) - before:
        delattr(absl_flags.FLAGS, flag)


@pytest.fixture
def make_converter(dataset_builder, pictures, tmp_path):
    """Builds a dataset's fixture tree and a converter for it."""

    def make(key, *flags):
        root = tmp_path / key
        root.mkdir()
        dataset_builder(key).build(root, pictures)
        kind = converters()[key]
        parser = argparse.ArgumentParser()
        kind.add_flags(parser)
        return kind(root, parser.parse_args(flags))

    return make


def ours(converter, split):
    """tf.Example by source_id, and the record it was made from."""
    columns = Columns(
        object=converter.object_columns, image=converter.image_columns
    )
    found = {}
    for image in converter.annotated_images(split):
        if not image.path.is_file():
            continue
        try:
            example = prepare(image, image.path.read_bytes(), _ODAPI, Counts())
        except ImageError:
            continue
        serialized = tf_example.serialize(example, columns)
        found[image.source_id] = tf.train.Example.FromString(serialized), image
    assert found
    return found


def values(example, key):
    feature = example.features.feature[key]
    kind = feature.WhichOneof("kind")
    return list(getattr(feature, kind).value) if kind else []


def assert_same_objects(mine, theirs, *keys):
    """Equal lists for boxes, class texts and the further keys."""
    for key in (*_BOXES, "class/text", *keys):
        name = f"image/object/{key}"
        expected = values(theirs, name)
        if key in _BOXES:
            expected = list(np.clip(expected, 0, 1))
        assert values(mine, name) == expected, name


def assert_same_image(mine, theirs, *keys):
    for key in ("encoded", *keys):
        name = f"image/{key}"
        assert values(mine, name) == values(theirs, name), name


def assert_same_sides(mine, theirs):
    for name in ("image/height", "image/width"):
        assert values(mine, name) == values(theirs, name), name


def test_coco(make_converter, script):
    od_api = script("create_coco_tf_record")
    converter = make_converter("coco", "--drop_out_of_bounds")
    folders = {"train": "train2017", "eval": "val2017"}
    for split, folder in folders.items():
        path = converter.data_dir / "annotations" / f"instances_{folder}.json"
        data = json.loads(path.read_text("utf-8"))
        index = {c["id"]: c for c in data["categories"]}
        mine = ours(converter, split)
        for image in data["images"]:
            _, theirs, *_ = od_api.create_tf_example(
                image,
                [
                    a
                    for a in data["annotations"]
                    if a["image_id"] == image["id"]
                ],
                str(converter.data_dir / folder),
                index,
            )
            example, _ = mine.pop(str(image["id"]))
            assert_same_objects(example, theirs, "is_crowd", "area")
            assert_same_image(
                example,
                theirs,
                *("height", "width", "filename", "source_id", "key/sha256"),
            )
            assert values(example, "image/object/difficult") == values(
                theirs, "image/object/is_crowd"
            )
        assert not mine


def test_voc(make_converter, script):
    od_api = script("create_pascal_tf_record")
    converter = make_converter("voc")
    ids = {item.name: item.id for item in converter.label_map()}
    compared = 0
    for split in ("train", "eval"):
        for example, image in ours(converter, split).values():
            annotations = image.path.parents[1] / "Annotations"
            xml = annotations / f"{image.source_id}.xml"
            data = _xml_to_dict(xml)
            data.setdefault("folder", image.path.parents[1].name)
            for box in data.get("object", ()):
                for flag in ("difficult", "truncated"):
                    box.setdefault(flag, "0")
                box.setdefault("pose", "Unspecified")
            theirs = od_api.dict_to_tf_example(
                data, str(image.path.parents[2]), ids
            )
            assert_same_objects(
                example, theirs, _LABEL, "difficult", "truncated", "view"
            )
            assert_same_image(
                example, theirs, "height", "width", "filename", "key/sha256"
            )
            compared += 1
    assert compared >= 4


def test_kitti(make_converter, script):
    od_api = script("create_kitti_tf_record")
    converter = make_converter("kitti")
    ids = {item.name: item.id for item in converter.label_map()}
    compared = 0
    for split in ("train", "eval"):
        for example, image in ours(converter, split).values():
            labels = image.path.parents[1] / "label_2"
            annotations = od_api.filter_annotations(
                od_api.read_annotation_file(
                    str(labels / f"{image.source_id}.txt")
                ),
                ["car", "pedestrian", "dontcare"],
            )
            theirs = od_api.prepare_example(str(image.path), annotations, ids)
            assert_same_objects(
                example,
                theirs,
                _LABEL,
                "alpha",
                *(
                    f"3d_bbox/{name}"
                    for name in (
                        *("height", "width", "length"),
                        *("x", "y", "z", "rot_y"),
                    )
                ),
            )
            assert values(example, "image/object/truncation") == values(
                theirs, "image/object/truncated"
            )
            assert_same_image(
                example, theirs, "height", "width", "format", "key/sha256"
            )
            compared += 1
    assert compared >= 4


def test_pet(make_converter, script):
    od_api = script("create_pet_tf_record")
    converter = make_converter("pet")
    ids = {item.name: item.id for item in converter.label_map()}
    compared = lost = 0
    for split in ("train", "eval"):
        for example, image in ours(converter, split).values():
            annotations = converter.data_dir / "annotations"
            xml = annotations / "xmls" / f"{image.source_id}.xml"
            if not xml.is_file():
                lost += 1
                continue
            arguments = (
                _xml_to_dict(xml),
                str(annotations / "trimaps" / f"{image.source_id}.png"),
                ids,
                str(image.path.parent),
            )
            if not image.path.read_bytes().startswith(b"\xff\xd8"):
                with pytest.raises(ValueError, match="not JPEG"):
                    od_api.dict_to_tf_example(*arguments)
                lost += 1
                continue
            theirs = od_api.dict_to_tf_example(*arguments)
            assert_same_objects(
                example, theirs, _LABEL, "difficult", "truncated", "view"
            )
            assert_same_sides(example, theirs)
            if image.source_id != _IN_CMYK:
                assert_same_image(example, theirs, "filename")
            compared += 1
    assert compared >= 2 and lost >= 3


def test_oid(make_converter, script):
    od_api = script("oid_tfrecord_creation")
    converter = make_converter("oid")
    ids = {item.name: item.id for item in converter.label_map()}
    path = converter.data_dir / "train-annotations-bbox.csv"
    with path.open(newline="") as file:
        flags = [name for name in next(csv.reader(file)) if name[:2] == "Is"]
    rows = pandas.read_csv(path)
    # Where theirs writes -1 (unknown), ours writes 0.
    rows[flags] = rows[flags].replace(-1, 0)
    mine = ours(converter, "train")
    for image_id, group in rows.groupby("ImageID"):
        if image_id not in mine:
            continue
        example, image = mine.pop(image_id)
        theirs = od_api.tf_example_from_annotations_data_frame(
            group, ids, image.path.read_bytes()
        )
        assert_same_objects(
            example,
            theirs,
            _LABEL,
            "group_of",
            "occluded",
            "truncated",
            "depiction",
        )
        assert_same_image(example, theirs, "filename", "source_id")
    assert not mine


def _xml_to_dict(path):
    """As the OD API's scripts have it; lxml warns of how they ask."""
    root = etree.fromstring(path.read_bytes())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return dataset_util.recursive_parse_xml_to_dict(root)["annotation"]
