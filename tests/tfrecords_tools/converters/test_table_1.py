"""Sizes of the splits are those of the paper's Table 1."""

import argparse
import json
from pathlib import Path

import pytest

from tfrecords_tools.converters import converters

_TABLES = Path(__file__).parents[2] / "decathlon" / "paper_tables.json"
_TABLE_1 = {
    name.lower(): row
    for name, row in json.loads(_TABLES.read_text())["table1_datasets"].items()
}


def make(key, root):
    kind = converters()[key]
    parser = argparse.ArgumentParser()
    kind.add_flags(parser)
    return kind(root, parser.parse_args([]))


def num_derived(converter):
    splits = [set(converter.derived_ids(s)) for s in ("train", "eval")]
    assert not splits[0] & splits[1]
    return tuple(map(len, splits))


def test_there_is_a_converter_for_each_dataset():
    assert set(converters()) == set(_TABLE_1)


@pytest.mark.parametrize("key", sorted(set(_TABLE_1) - {"oid"}))
def test_whole_datasets_are_as_large_as_in_the_paper(key):
    row = _TABLE_1[key]
    expected = {"train": row["trainval"], "eval": row["eval"]}
    assert dict(converters()[key].expected_images) == expected


def test_open_images_are_measured_since_no_rule_gives_the_papers_number():
    assert dict(converters()["oid"].expected_images) == {
        "train": None,
        "eval": None,
    }


def test_pet_takes_500_of_3680_images_for_evaluation(tmp_path):
    (tmp_path / "images").mkdir()
    annotations = tmp_path / "annotations"
    (annotations / "xmls").mkdir(parents=True)
    lines = [f"beagle_{number} 1 2 1\n" for number in range(1, 3681)]
    for name in ("list.txt", "trainval.txt"):
        (annotations / name).write_text("".join(lines))
    row = _TABLE_1["pet"]
    sizes = num_derived(make("pet", tmp_path))
    assert sizes == (row["trainval"], row["eval"]) == (3180, 500)


def test_rpc_takes_600_of_6000_images_for_evaluation(tmp_path):
    (tmp_path / "val2019").mkdir()
    images = [
        {
            "id": number,
            "file_name": f"{number}.jpg",
            "width": 9,
            "height": 9,
            "level": "easy",
        }
        for number in range(6000)
    ]
    content = {
        "images": images,
        "annotations": [],
        "categories": [{"id": 1, "name": "1_puffed_food"}],
    }
    (tmp_path / "instances_val2019.json").write_text(json.dumps(content))
    row = _TABLE_1["rpc"]
    sizes = num_derived(make("rpc", tmp_path))
    assert sizes == (row["trainval"], row["eval"]) == (5400, 600)
