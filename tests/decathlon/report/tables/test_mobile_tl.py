"""mAP beside memory and operations: made-up runs, ratios by hand."""

from __future__ import annotations

import pytest

from object_detection_patch.decathlon.report.build import build_tables
from object_detection_patch.decathlon.report.tables import mobile_tl
from tests.decathlon.report import mobile_tl_results as made


@pytest.fixture(scope="module")
def table():
    return mobile_tl.table(made.results(), made.GIVEN)


def _column(table, title, *, occurrence=0):
    titles = [column.title for column in table.columns]
    places = [i for i, found in enumerate(titles) if found == title]
    return {row[0]: row[places[occurrence]] for row in table.rows}


def test_rows_are_in_order_of_memory(table):
    assert _column(table, "Memory, MB") == {
        "BIAS_ONLY": 20,
        "MOBILE_TL": 40,
        "MOBILE_TL, exact_3": 50,
        "FINE_TUNING": 100,
    }
    assert list(_column(table, "Memory, MB")) == [row[0] for row in table.rows]


def test_what_more_memory_buys_nothing_is_not_best(table):
    assert _column(table, "Best") == {
        "BIAS_ONLY": "yes",
        "MOBILE_TL": "yes",
        "MOBILE_TL, exact_3": "",
        "FINE_TUNING": "yes",
    }


def test_ratios_stand_beside_the_papers(table):
    """Table 3: 30.6, 40.5 and 382.7 MB; 7,728 and 16,205 MFLOPs."""
    memory = _column(table, "over FINE_TUNING")
    operations = _column(table, "over FINE_TUNING", occurrence=1)
    assert memory["MOBILE_TL"] == pytest.approx(0.4)
    assert operations["MOBILE_TL, exact_3"] == pytest.approx(0.3)
    theirs = _column(table, "paper")
    assert theirs["BIAS_ONLY"] == pytest.approx(0.07996, abs=1e-5)
    assert theirs["MOBILE_TL, exact_3"] == pytest.approx(0.10583, abs=1e-5)
    assert theirs["MOBILE_TL"] is None
    other = _column(table, "paper", occurrence=1)
    assert other["MOBILE_TL, exact_3"] == pytest.approx(0.47689, abs=1e-5)
    assert _column(table, "paper's CIFAR10")["MOBILE_TL"] == 95.8


def test_the_report_has_a_section_of_it():
    sections = {one.key: one for one in build_tables(made.results())}

    (table,) = sections["mobile_tl"].tables
    assert table.key == "mobile_tl"


def test_without_a_whole_run_of_mobile_tl_there_is_no_table():
    lacking = made.results(without=("MOBILE_TL", ""))

    assert mobile_tl.table(lacking, made.GIVEN) is None
    assert "mobile_tl" not in {one.key for one in build_tables(lacking)}
