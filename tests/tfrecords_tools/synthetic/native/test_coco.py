"""COCO's layout as written, and as its converter reads it."""

import argparse
import json

import numpy as np
import pytest

from tfrecords_tools.converters.coco import CocoConverter
from tfrecords_tools.synthetic.native.base import NativeImage, NativeObject
from tfrecords_tools.synthetic.native.coco import write

CLASS_NAMES = tuple(f"class {number}" for number in range(1, 82))


def picture(encoded, *objects):
    owners = np.zeros((3, 4), np.uint8)
    owners[1:, 1:3] = 1
    return NativeImage(
        encoded=encoded, width=4, height=3, objects=objects, owners=owners
    )


def thing(name, **more):
    return NativeObject(name=name, xmin=1, ymin=1, xmax=3, ymax=3, **more)


def write_both(root):
    train = [
        picture(b"a", thing("class 12", flags={"is_crowd": 1})),
        picture(
            b"b",
            thing("class 80", outline=((1.5, 1.0), (3.0, 3.0), (1.0, 3.0))),
            thing("class 1"),
        ),
    ]
    write(root, train, [picture(b"c")], class_names=CLASS_NAMES)


@pytest.fixture
def root(tmp_path):
    write_both(tmp_path)
    return tmp_path


def content(root, split):
    path = root / "annotations" / f"instances_{split}.json"
    return json.loads(path.read_text("utf-8"))


def test_file_names_are_the_ids_with_12_digits(root):
    images = content(root, "train2017")["images"]
    assert [(i["id"], i["file_name"]) for i in images] == [
        (9, "000000000009.jpg"),
        (25, "000000000025.jpg"),
    ]
    assert (root / "train2017/000000000009.jpg").read_bytes() == b"a"
    assert (root / "train2017/000000000025.jpg").read_bytes() == b"b"
    assert (root / "val2017/000000000139.jpg").read_bytes() == b"c"


def test_class_ids_leave_out_those_of_coco(root):
    categories = content(root, "val2017")["categories"]
    ids = {kind["name"]: kind["id"] for kind in categories}
    assert (ids["class 11"], ids["class 12"]) == (11, 13)
    assert (ids["class 80"], ids["class 81"]) == (90, 91)


def test_annotations_are_sorted_by_class(root):
    records = content(root, "train2017")["annotations"]
    assert [r["category_id"] for r in records] == [1, 13, 90]
    assert [r["id"] for r in records] == [3, 1, 2]
    assert [r["image_id"] for r in records] == [25, 9, 25]


def test_crowds_have_run_lengths_and_others_polygons(root):
    box, crowd, outlined = content(root, "train2017")["annotations"]
    # Columns of 3: 000 011 011 000.
    assert crowd["segmentation"] == {"counts": [4, 2, 1, 2, 3], "size": [3, 4]}
    assert crowd["iscrowd"] == 1
    assert outlined["segmentation"] == [[1.5, 1.0, 3.0, 3.0, 1.0, 3.0]]
    assert box["segmentation"] == [[1.0, 1.0, 3.0, 1.0, 3.0, 3.0, 1.0, 3.0]]


def test_area_is_that_of_what_one_sees(root):
    box, crowd, _ = content(root, "train2017")["annotations"]
    assert crowd["area"] == 4.0
    assert crowd["bbox"] == [1.0, 1.0, 2.0, 2.0]
    assert box["area"] == 4.0


def test_converter_reads_it_back(root):
    parser = argparse.ArgumentParser()
    CocoConverter.add_flags(parser)
    coco = CocoConverter(root, parser.parse_args([]))
    first, second = coco.annotated_images("train")
    assert [(o.name, o.label, o.edges) for o in second.objects] == [
        ("class 1", 1, (1, 1, 3, 3)),
        ("class 80", 90, (1, 1, 3, 3)),
    ]
    assert first.objects[0].is_crowd
    (image,) = coco.annotated_images("eval")
    assert (image.source_id, image.objects) == ("139", ())


def test_equal_pictures_give_equal_bytes(root, tmp_path_factory):
    again = tmp_path_factory.mktemp("again")
    write_both(again)
    names = sorted(p.relative_to(root) for p in root.rglob("*") if p.is_file())
    assert len(names) == 5
    for name in names:
        assert (again / name).read_bytes() == (root / name).read_bytes()
