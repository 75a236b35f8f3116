"""RPC's layout as written, and as its converter reads it."""

import argparse
import json

import numpy as np
import pytest

from tfrecords_tools.converters.rpc import RpcConverter
from tfrecords_tools.synthetic.native.base import NativeImage, NativeObject
from tfrecords_tools.synthetic.native.rpc import write

CLASS_NAMES = ("1_puffed_food", "2_gum")


def picture(encoded, **flags):
    box = NativeObject(name="2_gum", xmin=1, ymin=2, xmax=4, ymax=7)
    return NativeImage(
        encoded=encoded,
        width=9,
        height=8,
        objects=(box,),
        owners=np.zeros((8, 9), np.uint8),
        flags=flags,
    )


def write_both(root):
    train = [picture(b"%d" % number) for number in range(62)]
    evaluation = [picture(b"eval", level="hard")] * 5
    write(root, train, evaluation, class_names=CLASS_NAMES)


@pytest.fixture
def root(tmp_path):
    write_both(tmp_path)
    return tmp_path


@pytest.fixture
def content(root):
    return json.loads((root / "instances_val2019.json").read_text("utf-8"))


def test_images_are_listed_by_time(content):
    names = [image["file_name"] for image in content["images"]]
    assert names == sorted(names)
    assert names[0] == "20180824-00-00-00-000.jpg"
    assert names[66] == "20180824-00-01-06-066.jpg"


def test_levels_take_turns_unless_the_picture_says_otherwise(root, content):
    for image in content["images"]:
        data = (root / "val2019" / image["file_name"]).read_bytes()
        turn = ("easy", "medium", "hard")[image["id"] % 3]
        assert image["level"] == ("hard" if data == b"eval" else turn)


def test_annotations_have_a_centre_and_no_outline(content):
    assert content["annotations"][0] == {
        "area": 15.0,
        "bbox": [1.0, 2.0, 3.0, 5.0],
        "category_id": 2,
        "id": 0,
        "image_id": 0,
        "iscrowd": 0,
        "point_xy": [2.5, 4.5],
        "segmentation": [[]],
    }


def test_chinese_table_is_written_as_utf8(root, content):
    assert content["__raw_Chinese_name_df"][1]["name"] == "商品2"
    raw = (root / "instances_val2019.json").read_bytes()
    assert "商品2".encode() in raw


def test_converter_finds_the_pictures_for_evaluation_again(root):
    parser = argparse.ArgumentParser()
    RpcConverter.add_flags(parser)
    rpc = RpcConverter(root, parser.parse_args(["--eval_images=5"]))
    images = list(rpc.annotated_images("eval"))
    assert [image.path.read_bytes() for image in images] == [b"eval"] * 5
    train = {i.path.read_bytes() for i in rpc.annotated_images("train")}
    assert train == {b"%d" % number for number in range(62)}
    (box,) = images[0].objects
    assert (box.name, box.label, box.edges) == ("2_gum", 2, (1, 2, 4, 7))


def test_equal_pictures_give_equal_bytes(root, tmp_path_factory):
    again = tmp_path_factory.mktemp("again")
    write_both(again)
    names = sorted(p.relative_to(root) for p in root.rglob("*") if p.is_file())
    assert len(names) == 68
    for name in names:
        assert (again / name).read_bytes() == (root / name).read_bytes()
