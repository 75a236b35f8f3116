"""Records of other tools are understood as far as they go."""

import math

import pytest

from tfrecords_tools.label_map import LabelMapItem
from tfrecords_tools.look.seen import (
    ClassNames,
    read_boxes,
    read_encoded,
    read_size,
    read_text,
)
from tfrecords_tools.reader import parse_example

CLASSES = ClassNames([LabelMapItem(1, "cat", "Cat")])
EDGES = {
    "image/object/bbox/xmin": [0.25],
    "image/object/bbox/ymin": [0.5],
    "image/object/bbox/xmax": [0.75],
    "image/object/bbox/ymax": [1.0],
}
TEXT, LABEL = "image/object/class/text", "image/object/class/label"


def test_a_full_record(handmade):
    columns = parse_example(handmade.record())
    example = {key: column.values for key, column in columns.items()}
    one, two = read_boxes(example, ClassNames())
    assert one.edges == (0.25, 0.0, 0.5, 0.5)
    assert (one.name, one.label, one.is_flagged) == ("cat", 1, False)
    assert (two.difficult, two.truncated, two.occluded) == (1, 1, 2)
    assert (two.is_crowd, two.group_of, two.is_flagged) == (0, 1, True)
    assert read_size(example) == (40, 20)
    assert read_text(example, "image/source_id") == "a"
    assert read_encoded(example).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("given", "name", "label"),
    [
        ({}, "no class", None),
        ({LABEL: [1]}, "Cat", 1),
        ({LABEL: [9]}, "class 9", 9),
        ({TEXT: [b"cat"]}, "Cat", 1),
        ({TEXT: [b"Cat"]}, "Cat", 1),
        ({TEXT: [b"cow"]}, "cow", None),
        ({TEXT: [b""], LABEL: [1]}, "Cat", 1),
        ({TEXT: [b"c\xff"], LABEL: [2]}, "c\ufffd", 2),
    ],
)
def test_names_and_labels_complete_each_other(given, name, label):
    (box,) = read_boxes(EDGES | given, CLASSES)
    assert (box.name, box.label) == (name, label)
    assert not box.is_flagged


def test_a_record_of_nothing_has_nothing():
    assert read_boxes({}, CLASSES) == []
    assert read_size({}) is None
    assert read_text({}, "image/source_id") == read_encoded({}).decode() == ""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image/object/bbox/xmax": []}, "Received: 0 in image/object/bbox/xm"),
        ({TEXT: [b"a", b"b"]}, "Received: 2 in image/object/class/text, 1 in"),
        ({TEXT: [7]}, r"class/text must hold bytes values. Received: \[7\]"),
        ({"image/object/difficult": [0.5]}, "must hold int values"),
        ({"image/object/bbox/xmin": [b"0"]}, "must hold float values"),
    ],
)
def test_lists_that_disagree_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        read_boxes(EDGES | change, CLASSES)


@pytest.mark.parametrize("size", [[0], [-4], [2.5], [b"9"], []])
def test_an_unusable_size_counts_as_none(size):
    assert read_size({"image/width": [9], "image/height": size}) is None


@pytest.mark.parametrize("xmin", [0.75, 0.8, math.nan, -math.inf])
def test_boxes_without_area(xmin):
    (box,) = read_boxes(EDGES | {"image/object/bbox/xmin": [xmin]}, CLASSES)
    assert not box.encloses_area
