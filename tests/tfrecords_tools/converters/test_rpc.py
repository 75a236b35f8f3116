"""RPC: one official split, parted by a hash of the file names."""

import argparse
import json
import shutil

import pytest

from tfrecords_tools.converters.rpc import RpcConverter
from tfrecords_tools.errors import DatasetError, MissingDataError, ParseError
from tfrecords_tools.label_map import validate_label_map

from .listing import listed


@pytest.fixture
def root(tmp_path, dataset_builder, pictures):
    dataset_builder("rpc").build(tmp_path, pictures)
    return tmp_path


def converter(root, *flags):
    parser = argparse.ArgumentParser()
    RpcConverter.add_flags(parser)
    return RpcConverter(root, parser.parse_args(flags))


def write_levels(path, *levels):
    """An instances file of images 0.jpg, 1.jpg, ... and nothing else."""
    images = [
        {
            "id": i,
            "file_name": f"{i}.jpg",
            "width": 9,
            "height": 9,
            "level": level,
        }
        for i, level in enumerate(levels)
    ]
    content = {
        "images": images,
        "annotations": [],
        "categories": [{"id": 1, "name": "1_puffed_food"}],
    }
    path.write_text(json.dumps(content))


@pytest.mark.parametrize("split", ["train", "eval"])
def test_records_are_those_written_by_hand(root, expected, split):
    images = list(converter(root).annotated_images(split))
    assert listed(images, root) == expected("rpc")[split]
    assert all(image.path.is_file() for image in images)


def test_200_classes_are_numbered_without_gaps(root):
    items = converter(root).label_map()
    validate_label_map(items)
    assert [item.id for item in items] == list(range(1, 201))
    assert items[0].name == "1_puffed_food"
    assert items[199].name == "200_stationery"


def test_derived_ids_are_the_file_names_in_order_of_output(root):
    rpc = converter(root, "--eval_images=2")
    assert rpc.derived_ids("eval") == [
        "20180824-00-00-01-001.jpg",
        "20180824-00-00-02-002.jpg",
    ]
    assert len(rpc.derived_ids("train")) == 3


def test_inner_copy_alone_gives_the_same_images(root):
    outer = converter(root)
    inner = converter(root / "retail_product_checkout")
    for split in ("train", "eval"):
        assert inner.derived_ids(split) == outer.derived_ids(split)
    (root / "instances_val2019.json").unlink()
    shutil.rmtree(root / "val2019")
    image = next(converter(root).annotated_images("eval"))
    assert image.path.parent == root / "retail_product_checkout" / "val2019"
    assert image.path.is_file()


def test_one_image_in_ten_is_for_evaluation(root):
    write_levels(root / "instances_val2019.json", *["easy"] * 40)
    assert len(converter(root).derived_ids("eval")) == 4


def test_levels_can_be_given_equal_parts(root):
    levels = ["easy"] * 9 + ["medium"] * 20 + ["hard"] * 31
    write_levels(root / "instances_val2019.json", *levels)
    rpc = converter(root, "--stratify", "--eval_images=6")
    chosen = [levels[int(name[:-4])] for name in rpc.derived_ids("eval")]
    assert chosen == ["easy"] * 2 + ["medium"] * 2 + ["hard"] * 2
    assert len(rpc.derived_ids("train")) == 54


def test_share_of_each_level_is_one_in_ten(root):
    levels = ["easy"] * 20 + ["medium"] * 20 + ["hard"] * 20
    write_levels(root / "instances_val2019.json", *levels)
    assert len(converter(root, "--stratify").derived_ids("eval")) == 6


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--eval_images=0"], "at least one"),
        (["--eval_images=-3"], "at least one"),
        (["--eval_images=5"], "5 images"),
        (["--eval_images=4", "--stratify"], "multiple of 3"),
        (["--eval_images=3", "--stratify"], "level 'medium'"),
    ],
)
def test_impossible_eval_split_is_refused(root, flags, message):
    with pytest.raises(DatasetError, match=message):
        converter(root, *flags).derived_ids("eval")


def test_unknown_level_is_refused(root):
    write_levels(root / "instances_val2019.json", "easy", "crazy")
    with pytest.raises(ParseError, match=r"'crazy' \(.*images\[1\]"):
        converter(root).derived_ids("train")


def test_file_name_with_a_newline_is_refused(root):
    path = root / "instances_val2019.json"
    content = json.loads(path.read_text("utf-8"))
    content["images"][3]["file_name"] = "a\nb.jpg"
    path.write_text(json.dumps(content), "utf-8")
    with pytest.raises(
        ParseError,
        match=r"`file_name` must be a printable string. Received: "
        r"'a\\nb.jpg' .*instances_val2019.json, images\[3\]",
    ):
        list(converter(root).annotated_images("train"))


@pytest.mark.parametrize("ids", [[2], [1, 3], []])
def test_gap_between_class_ids_is_refused(root, ids):
    path = root / "instances_val2019.json"
    categories = [{"id": id, "name": f"{id}_goods"} for id in ids]
    path.write_text(
        json.dumps({"images": [], "annotations": [], "categories": categories})
    )
    with pytest.raises(ParseError, match="leave no gap"):
        converter(root).label_map()


def test_absent_pictures_are_named(root):
    shutil.rmtree(root / "val2019")
    shutil.rmtree(root / "retail_product_checkout")
    with pytest.raises(MissingDataError, match="folder val2019"):
        converter(root)
