"""The figures of further papers agree with each other and their own sums."""

from __future__ import annotations

import json
import pathlib
import statistics

import pytest

from object_detection_patch.decathlon import report
from object_detection_patch.decathlon.report import family_papers
from object_detection_patch.methods import presets

_TABLES = json.loads(
    pathlib.Path(report.__file__)
    .with_name("family_figures.json")
    .read_text(encoding="utf-8")
)
_ROWS = [key for key in _TABLES["adapters_table1"] if key != "columns"]


@pytest.mark.parametrize("row", _ROWS)
def test_printed_means_are_those_of_their_rows(row):
    # Rounded to two digits, as are the ten numbers.
    ten = _TABLES["adapters_table1"][row][1:11]
    assert statistics.fmean(ten) == pytest.approx(
        family_papers.adapted_average(row), abs=0.0101
    )


def test_the_two_papers_print_the_same_scores():
    for row in ("FINE_TUNING", "SERIES_ADAPTERS", "PARALLEL_ADAPTERS"):
        for column in ("size", "score"):
            assert family_papers.figure(
                "adapters_table1", row, column
            ) == family_papers.figure("spottune_table3", row, column)


def test_every_row_is_of_a_preset():
    for name, table in _TABLES.items():
        for row in () if name == "source" else table:
            preset = row.partition(",")[0]
            assert row == "columns" or preset in presets.preset_names()


def test_what_a_paper_does_not_print_is_none():
    for found in (
        family_papers.adapted_average("SPOTTUNE"),
        family_papers.routed_average("PARALLEL_ADAPTERS"),
        family_papers.score("LAST_1"),
        family_papers.size("ROUTED_SPOTPATCH"),
        family_papers.joint_average("DW_PATCH"),
        family_papers.joint_parameters("DW_PATCH"),
    ):
        assert found is None


def test_joint_training_is_printed_for_two_tasks():
    assert family_papers.joint_tasks() == ("ImageNet", "Places365")
    # The paper says in words: 1 % more parameters than sharing everything.
    more = family_papers.joint_parameters(
        "BN_PATCH"
    ) / family_papers.joint_parameters("FEATURE_EXTRACTOR")
    assert more == pytest.approx(1.01, abs=0.001)
    averages = [
        family_papers.joint_average(row)
        for row in ("FEATURE_EXTRACTOR", "BN_PATCH", "FINE_TUNING")
    ]
    assert averages == [57.9, 62.25, 63.0]
