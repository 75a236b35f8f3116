"""KITTI's native layout: numbers, 15 fields, regions."""

import argparse

import numpy as np
import pytest

from tfrecords_tools.converters.kitti import KittiConverter
from tfrecords_tools.synthetic.native.base import NativeImage, NativeObject
from tfrecords_tools.synthetic.native.kitti import write

CLASSES = ["car", "pedestrian"]


def image(*objects):
    return NativeImage(
        encoded=b"\x89PNG",
        width=100,
        height=50,
        objects=objects,
        owners=np.zeros((50, 100), np.uint8),
    )


def drawn(name, **fields):
    return NativeObject(name=name, xmin=40, ymin=5, xmax=60, ymax=35, **fields)


TRAIN = [
    image(drawn("car", flags={"rotation_y": 0.5, "truncation": 0.25})),
    image(drawn("pedestrian", visible=0.4), drawn("Van")),
]
EVAL = [image(drawn("DontCare")), image(), image(drawn("car", truncated=True))]


@pytest.fixture
def root(tmp_path):
    write(tmp_path, TRAIN, EVAL, class_names=CLASSES)
    return tmp_path


def test_converter_reads_what_was_written(root):
    parser = argparse.ArgumentParser()
    KittiConverter.add_flags(parser)
    converter = KittiConverter(root, parser.parse_args([]))
    train = list(converter.annotated_images("train"))
    evaluated = list(converter.annotated_images("eval"))
    assert [i.source_id for i in train] == ["000500", "000501"]
    assert [i.source_id for i in evaluated] == ["000000", "000001", "000002"]
    assert train[0].objects[0].edges == (40, 5, 60, 35)
    assert train[1].objects[0].occluded == 2
    assert train[1].dropped == {"other class": 1}
    assert evaluated[0].dropped == {"DontCare region": 1}
    assert evaluated[2].objects[0].truncated
    for found, original in zip(train + evaluated, TRAIN + EVAL, strict=True):
        assert found.path.read_bytes() == original.encoded


def test_lines_are_those_of_the_original(root):
    labels = root / "training" / "label_2"
    # 721.5 * 1.5 / 30 pixels is 36.075 m, straight ahead.
    assert (labels / "000500.txt").read_text() == (
        "Car 0.25 0 0.50 40.00 5.00 60.00 35.00 "
        "1.50 1.60 3.90 0.00 1.65 36.08 0.50\n"
    )
    assert (labels / "000000.txt").read_text() == (
        "DontCare -1 -1 -10 40.00 5.00 60.00 35.00 "
        "-1 -1 -1 -1000 -1000 -1000 -10\n"
    )
    assert (labels / "000001.txt").read_text() == ""


def test_eval_split_must_fit_below_500(tmp_path):
    with pytest.raises(ValueError, match="at most 500 images. Received: 501"):
        write(tmp_path, TRAIN, EVAL[1:2] * 501, class_names=CLASSES)


def test_equal_images_give_equal_bytes(root, tmp_path_factory):
    again = tmp_path_factory.mktemp("again")
    write(again, TRAIN, EVAL, class_names=CLASSES)
    assert contents(root) == contents(again)


def contents(root):
    files = (path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root): path.read_bytes() for path in files}
