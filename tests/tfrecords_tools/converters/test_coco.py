"""COCO: sparse ids, crowds, and an annotation file of any order."""

import argparse
import json

import pytest

from tfrecords_tools.converters.coco import CocoConverter
from tfrecords_tools.errors import MissingDataError, ParseError
from tfrecords_tools.label_map import validate_label_map

from .listing import listed

_GAPS = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83}


@pytest.fixture
def root(tmp_path, dataset_builder, pictures):
    dataset_builder("coco").build(tmp_path, pictures)
    return tmp_path


def converter(root, *flags):
    parser = argparse.ArgumentParser()
    CocoConverter.add_flags(parser)
    return CocoConverter(root, parser.parse_args(flags))


@pytest.mark.parametrize("split", ["train", "eval"])
def test_records_are_those_written_by_hand(root, expected, split):
    images = list(converter(root).annotated_images(split))
    assert listed(images, root) == expected("coco")[split]
    assert all(image.path.is_file() for image in images)


def test_ids_keep_the_gaps_of_coco(root):
    coco = converter(root)
    items = coco.label_map()
    assert coco.label_map_has_gaps
    validate_label_map(items, allow_gaps=True)
    assert {item.id for item in items} == set(range(1, 91)) - _GAPS
    names = {item.id: item.name for item in items}
    assert (names[13], names[27], names[90]) == (
        "stop sign",
        "backpack",
        "toothbrush",
    )


def test_ids_can_be_numbered_without_gaps(root):
    coco = converter(root, "--contiguous_ids")
    assert not coco.label_map_has_gaps
    assert CocoConverter.label_map_has_gaps
    validate_label_map(coco.label_map())
    images = list(coco.annotated_images("train"))
    assert [o.label for o in images[0].objects] == [1, 12]
    assert [o.label for o in images[2].objects] == [80, 1]


def test_crowds_can_be_left_out(root):
    image = next(converter(root, "--drop_crowds").annotated_images("train"))
    assert [o.name for o in image.objects] == ["person"]
    assert image.dropped == {"crowd": 1}


def test_evaluation_ignores_crowds_and_does_not_forget_them(root):
    path = root / "annotations" / "instances_val2017.json"
    content = json.loads(path.read_text())
    for annotation in content["annotations"]:
        annotation["iscrowd"] = 1
    path.write_text(json.dumps(content))
    (image,) = converter(root, "--drop_crowds").annotated_images("eval")
    assert [box.is_crowd for box in image.objects] == [True]


def test_boxes_over_the_border_can_be_left_out(root):
    coco = converter(root, "--drop_out_of_bounds")
    images = list(coco.annotated_images("train"))
    assert [o.name for o in images[2].objects] == ["person"]
    assert [dict(i.dropped) for i in images] == [{}, {}, {"out of bounds": 1}]


def test_both_splits_must_have_the_same_classes(root):
    path = root / "annotations" / "instances_train2017.json"
    content = json.loads(path.read_text())
    content["categories"][0]["name"] = "someone"
    path.write_text(json.dumps(content))
    with pytest.raises(ParseError, match="same classes"):
        list(converter(root).annotated_images("train"))


def test_list_of_no_classes_is_refused(root):
    path = root / "annotations" / "instances_val2017.json"
    path.write_text('{"images": [], "annotations": [], "categories": []}')
    with pytest.raises(ParseError, match="no class .*val2017.json, categories"):
        converter(root).label_map()


def test_file_name_with_a_newline_is_refused(root):
    path = root / "annotations" / "instances_train2017.json"
    content = json.loads(path.read_text())
    content["images"][1]["file_name"] = "000000000025\n.jpg"
    path.write_text(json.dumps(content))
    with pytest.raises(
        ParseError,
        match=r"`file_name` must be a printable string. Received: "
        r"'000000000025\\n.jpg' .*instances_train2017.json, images\[1\]",
    ):
        list(converter(root).annotated_images("train"))


def test_folder_of_images_must_be_there(root):
    (root / "val2017").rename(root / "somewhere")
    with pytest.raises(MissingDataError, match="val2017.zip"):
        list(converter(root).annotated_images("eval"))


@pytest.mark.parametrize(
    ("split", "other", "absent"),
    [("train", "eval", "val2017"), ("eval", "train", "train2017")],
)
def test_one_split_alone_suffices(root, split, other, absent):
    (root / "annotations" / f"instances_{absent}.json").unlink()
    coco = converter(root)
    assert coco.splits == (split,)
    assert list(coco.annotated_images(split))
    assert coco.label_map()
    with pytest.raises(MissingDataError, match=f"instances_{absent}.json"):
        list(coco.annotated_images(other))


def test_tree_may_lie_one_level_deeper(tmp_path, dataset_builder, pictures):
    root = tmp_path / "coco"
    root.mkdir()
    dataset_builder("coco").build(root, pictures)
    images = list(converter(tmp_path).annotated_images("train"))
    assert images[0].path == root / "train2017" / "000000000009.jpg"
