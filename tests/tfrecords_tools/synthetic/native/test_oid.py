"""Open Images' layout as written, and as its converter reads it."""

import argparse
import csv

import numpy as np
import pytest

from tfrecords_tools.converters.oid import OidConverter
from tfrecords_tools.synthetic.native.base import NativeImage, NativeObject
from tfrecords_tools.synthetic.native.oid import COLUMNS, write

CLASS_NAMES = ("Tortoise", "Drink, hot")


def picture(encoded, *objects):
    return NativeImage(
        encoded=encoded,
        width=64,
        height=32,
        objects=objects,
        owners=np.zeros((32, 64), np.uint8),
    )


def write_both(root):
    hidden = NativeObject(
        name="Tortoise", xmin=8, ymin=4, xmax=40, ymax=20, visible=0.5
    )
    group = NativeObject(
        name="Drink, hot",
        xmin=0,
        ymin=0,
        xmax=64,
        ymax=32,
        visible=0.7,
        truncated=True,
        flags={"group_of": 1, "depiction": -1, "inside": 1},
    )
    train = [picture(b"a", hidden, group), picture(b"b", hidden)]
    write(root, train, [picture(b"c", group)], class_names=CLASS_NAMES)


@pytest.fixture
def root(tmp_path):
    write_both(tmp_path)
    return tmp_path


def test_class_file_has_no_header_and_quotes_commas(root):
    text = (root / "class-descriptions-boxable.csv").read_text()
    assert text == '/m/0m000,Tortoise\n/m/0m001,"Drink, hot"\n'


def test_rows_have_13_columns_and_are_sorted_by_image(root):
    with (root / "train-annotations-bbox.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert tuple(header) == COLUMNS
    assert len(COLUMNS) == 13
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)


def test_edges_have_six_digits_and_flags_three_values(root):
    rows = (root / "train-annotations-bbox.csv").read_text().splitlines()
    assert (
        "d6ec6dece92a4a47,xclick,/m/0m000,1,"
        "0.125000,0.625000,0.125000,0.625000,1,0,0,0,0"
    ) in rows
    assert (
        "d6ec6dece92a4a47,xclick,/m/0m001,1,"
        "0.000000,1.000000,0.000000,1.000000,0,1,1,-1,1"
    ) in rows


def test_training_images_lie_in_folders_by_their_first_digit(root):
    files = {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*.jpg")
    }
    assert files == {
        "train_d/d6ec6dece92a4a47.jpg": b"a",
        "train_c/cd14827ef1010ef4.jpg": b"b",
        "validation/547836a967b1389c.jpg": b"c",
    }


def test_converter_reads_it_back(root):
    parser = argparse.ArgumentParser()
    OidConverter.add_flags(parser)
    oid = OidConverter(root, parser.parse_args([]))
    assert [item.display_name for item in oid.label_map()] == [*CLASS_NAMES]
    second, first = oid.annotated_images("train")
    assert (second.path.read_bytes(), first.path.read_bytes()) == (b"b", b"a")
    assert [o.edges for o in first.objects] == [
        (0.125, 0.125, 0.625, 0.625),
        (0.0, 0.0, 1.0, 1.0),
    ]
    assert [o.group_of for o in first.objects] == [False, True]
    assert [o.label for o in first.objects] == [1, 2]


def test_equal_pictures_give_equal_bytes(root, tmp_path_factory):
    again = tmp_path_factory.mktemp("again")
    write_both(again)
    names = sorted(p.relative_to(root) for p in root.rglob("*") if p.is_file())
    assert len(names) == 6
    for name in names:
        assert (again / name).read_bytes() == (root / name).read_bytes()
