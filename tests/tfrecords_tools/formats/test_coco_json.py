"""COCO's instances files: sections in any order, ids that must fit."""

import copy
import json

import hypothesis
import hypothesis.strategies as st
import pytest

from tfrecords_tools.errors import ParseError
from tfrecords_tools.formats.coco_boxes import CocoBox
from tfrecords_tools.formats.coco_json import (
    CocoCategory,
    CocoImage,
    CocoInstances,
)

CONTENT = {
    "images": [
        {"id": 7, "file_name": "b.jpg", "width": 40, "height": 30},
        {"id": 3, "file_name": "a.jpg", "width": 9, "height": 8, "level": "x"},
    ],
    "annotations": [
        {
            "id": 1,
            "image_id": 3,
            "category_id": 2,
            "bbox": [1, 2.5, 3, 4],
            "area": 11.5,
            "iscrowd": 0,
            "segmentation": [[1, 2, 3]],
        },
        {
            "id": 900_100_000_000,
            "image_id": 7,
            "category_id": 5,
            "bbox": [0, 0, 40, 30],
            "area": 900,
            "iscrowd": 1,
            "segmentation": {"counts": [1, 2], "size": [30, 40]},
        },
        {
            "id": 2,
            "image_id": 3,
            "category_id": 5,
            "bbox": [-1.0, 0, 2, 0],
            "area": 0,
            "iscrowd": 0,
        },
    ],
    "categories": [
        {"id": 5, "name": "dog"},
        {"id": 2, "name": "traffic light"},
    ],
}


def read(path, content):
    path.write_text(json.dumps(content))
    return CocoInstances(path)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "instances.json"


@pytest.mark.parametrize(
    "order",
    [
        ("images", "annotations", "categories"),
        ("annotations", "categories", "images"),
        ("categories", "images", "annotations"),
    ],
)
def test_sections_may_come_in_any_order(path, order):
    found = read(path, {key: CONTENT[key] for key in order})
    assert found.images == [
        CocoImage(7, "b.jpg", 40, 30, ""),
        CocoImage(3, "a.jpg", 9, 8, "x"),
    ]
    assert found.categories == [
        CocoCategory(2, "traffic light"),
        CocoCategory(5, "dog"),
    ]
    assert list(found.boxes(found.images[0])) == [
        CocoBox(5, 0.0, 0.0, 40.0, 30.0, 900.0, True)
    ]
    assert list(found.boxes(found.images[1])) == [
        CocoBox(2, 1.0, 2.5, 3.0, 4.0, 11.5, False),
        CocoBox(5, -1.0, 0.0, 2.0, 0.0, 0.0, False),
    ]


def test_image_without_annotation_has_no_boxes(path):
    found = read(path, CONTENT | {"annotations": []})
    assert [list(found.boxes(image)) for image in found.images] == [[], []]


@pytest.mark.parametrize(
    ("section", "index", "key", "value"),
    [
        ("images", 1, "id", 7),
        ("images", 1, "id", -1),
        ("images", 1, "id", "3"),
        ("images", 1, "file_name", "b.jpg"),
        ("images", 1, "file_name", "../b.jpg"),
        ("images", 1, "file_name", "/b.jpg"),
        ("images", 1, "file_name", "a\\b.jpg"),
        ("images", 1, "file_name", ".."),
        ("images", 1, "file_name", "a\0.jpg"),
        ("images", 0, "width", 0),
        ("images", 0, "height", 12.5),
        ("images", 0, "level", 3),
        ("annotations", 2, "id", 1),
        ("annotations", 1, "image_id", 4),
        ("annotations", 2, "category_id", 4),
        ("annotations", 0, "bbox", [1, 2, 3]),
        ("annotations", 0, "bbox", [1, 2, 3, "4"]),
        ("annotations", 0, "bbox", [1, 2, 3, 1e300]),
        ("annotations", 0, "bbox", [1, 2, 3, [4]]),
        ("annotations", 0, "area", -1),
        ("annotations", 0, "area", None),
        ("annotations", 0, "iscrowd", 2),
        ("categories", 1, "id", 5),
        ("categories", 1, "id", 0),
        ("categories", 1, "name", "dog"),
        ("categories", 1, "name", ""),
    ],
)
def test_wrong_value_is_refused_with_its_record(
    path, section, index, key, value
):
    content = copy.deepcopy(CONTENT)
    content[section][index][key] = value
    message = rf"`{key}`.*instances.json, {section}\[{index}\]\)$"
    with pytest.raises(ParseError, match=message):
        read(path, content)


@pytest.mark.parametrize(
    ("section", "key"),
    [
        (section, key)
        for section, records in CONTENT.items()
        for key in records[0]
        if key != "segmentation"
    ],
)
def test_absent_key_is_refused_with_its_record(path, section, key):
    content = copy.deepcopy(CONTENT)
    del content[section][0][key]
    with pytest.raises(ParseError, match=rf"`{key}`.*{section}\[0\]"):
        read(path, content)


_VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=3)
    | st.lists(st.integers() | st.floats(), max_size=5)
)


@hypothesis.given(
    section=st.sampled_from(sorted(CONTENT)),
    index=st.integers(0, 1),
    key=st.sampled_from(
        ["id", "image_id", "category_id", "bbox", "area", "file_name", "name"]
    ),
    value=_VALUES,
)
def test_any_value_gives_known_classes_or_a_parse_error(
    tmp_path_factory, section, index, key, value
):
    content = copy.deepcopy(CONTENT)
    content[section][index][key] = value
    path = tmp_path_factory.mktemp("any", numbered=True) / "f.json"
    try:
        found = read(path, content)
    except ParseError:
        return
    boxes = [box for i in found.images for box in found.boxes(i)]
    assert len(boxes) == 3
    known = {category.id for category in found.categories}
    assert {box.category_id for box in boxes} <= known


@hypothesis.given(st.integers(0, 700), st.binary(max_size=4))
def test_changed_bytes_give_a_file_or_a_parse_error(
    tmp_path_factory, place, data
):
    path = tmp_path_factory.mktemp("bytes", numbered=True) / "f.json"
    raw = json.dumps(CONTENT).encode()
    path.write_bytes(raw[:place] + data + raw[place + len(data) :])
    try:
        assert CocoInstances(path).categories
    except ParseError:
        pass
