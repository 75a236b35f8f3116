"""The accessors against figures read off the paper."""

import json
import pathlib

import pytest

from object_detection_patch.decathlon.report import paper

_ELSEWHERE = json.loads(
    (pathlib.Path(__file__).parents[1] / "paper_tables.json").read_text()
)
_TABLE_2 = _ELSEWHERE["table2_decathlon"]


def test_tables_1_and_2_are_those_that_the_score_is_tested_with():
    for name, row in _ELSEWHERE["table1_datasets"].items():
        assert paper.counts(name) == paper.Counts(**row)
        assert paper.counts(name.lower()) == paper.Counts(**row)
    assert paper.methods() == tuple(m for m in _TABLE_2 if m != "columns")
    assert list(paper.tasks()) == _TABLE_2["columns"][1:10]
    for method in paper.methods():
        row = dict(zip(_TABLE_2["columns"], _TABLE_2[method], strict=True))
        for task in paper.tasks():
            assert paper.map_percent(method, task.lower()) == row[task]
        for column in ("footprint", "score", "score_per_footprint"):
            assert paper.total(method, column) == row[column]


@pytest.mark.parametrize(
    ("found", "printed"),
    [
        (paper.updating("SPOTPATCH", "map", 40), 34.2),
        (paper.updating("SPOTPATCH", "footprint_percent", 80), 2.08),
        (paper.updating("FINE_TUNING", "map", 10), 37.6),
        (paper.patch_size("PIGGYBACK", "footprint_8bit"), 1.12),
        (paper.patch_size("WEIGHTTRANS", "size_32bit_mb"), 3.70),
        (paper.sparsity("kitti", "patched_percent", "1e-4"), 69.0),
        (paper.sparsity("Dogs", "footprint_percent", "1e-5"), 5.09),
        (paper.sparsity("voc", "map", "1e-3"), 70.5),
    ],
)
def test_tables_3_to_5(found, printed):
    assert found == printed


def test_what_the_paper_does_not_have_is_none():
    assert paper.counts("shapes") is None
    assert paper.map_percent("SPOTPATCH", "oid") is None
    assert paper.map_percent("ANOTHER", "voc") is None
    assert paper.updating("SPOTPATCH", "map", 50) is None
    assert paper.patch_size("ANOTHER", "footprint_8bit") is None
    assert paper.sparsity("oid", "map", "1e-4") is None
    assert paper.sparsity("voc", "map", "1e-6") is None


def test_table_2_has_the_lambda_that_section_4_4_names():
    assert paper.sparsity_labels() == ("1e-3", "1e-4", "1e-5")
    assert paper.sparsity_label_of_table_2("SPOTPATCH") == "1e-4"
    assert paper.sparsity_label_of_table_2("WEIGHTTRANS") is None


def test_a_share_has_no_digits_that_were_not_printed():
    assert paper.share(5.15) == 0.0515
    assert paper.share(87.3) == 0.873
    assert paper.share(None) is None
