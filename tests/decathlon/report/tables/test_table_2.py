"""The paper's mAPs and footprints must give the paper's printed totals."""

import json
import pathlib

import pytest

from object_detection_patch.decathlon.report.tables import claims, table_2
from tests.decathlon.report import results as made

_PRINTED = json.loads(
    (pathlib.Path(__file__).parents[2] / "paper_tables.json").read_text()
)["table2_decathlon"]
_COLUMNS = _PRINTED["columns"]


def _printed(method):
    return dict(zip(_COLUMNS, _PRINTED[method], strict=True))


@pytest.fixture(scope="module")
def papers_runs():
    """Runs with the paper's mAPs, and a ninth of its footprint each."""
    return made.of(
        made.suite(),
        [
            made.run(
                method,
                name.lower(),
                made.outcome(
                    _printed(method)[name] / 100,
                    share=_printed(method)["footprint"] / 9,
                ),
            )
            for method in made.METHODS
            for name in _COLUMNS[1:10]
        ],
    )


def _row(table, method):
    (row,) = (row for row in table.rows if row[0] == method)
    return row


@pytest.mark.parametrize("method", made.METHODS)
def test_totals_are_those_that_the_paper_prints(papers_runs, method):
    row = _row(table_2.beside_the_paper(papers_runs), method)
    ours, papers = row[1::2], row[2::2]
    footprint, average, score, per_footprint = ours
    assert footprint == pytest.approx(papers[0], abs=1e-6)
    assert round(average, 1) == papers[1] == _printed(method)["average_map"]
    assert round(score) == papers[2] == _printed(method)["score"]
    assert per_footprint == pytest.approx(papers[3], abs=1.0)


def test_maps_stand_in_the_suites_order(papers_runs):
    table = table_2.ours(papers_runs)
    assert [column.title for column in table.columns[2:11]] == list(made.TASKS)
    for method in made.METHODS:
        expected = [_printed(method)[name] for name in _COLUMNS[1:10]]
        assert list(_row(table, method)[2:11]) == pytest.approx(expected)
    printed = table_2.printed()
    assert [row[2:11] for row in printed.rows] == [
        tuple(_PRINTED[method][1:10]) for method in made.METHODS
    ]
    assert [row[1] for row in printed.rows] == [
        _PRINTED[method][0] for method in made.METHODS
    ]


def test_bold_is_what_the_paper_prints_bold():
    table = table_2.printed()
    bold = {
        (table.rows[row][0], table.columns[column].title)
        for row, column in table.highlights
    }
    weighttrans = "birds cars coco dogs face kitti pet".split()
    assert bold == {
        *(("WEIGHTTRANS", task) for task in weighttrans),
        ("SPOTPATCH", "rpc"),
        ("BN_PATCH", "voc"),
        ("BN_PATCH", "Footprint"),
        ("WEIGHTTRANS", "Average mAP"),
        ("WEIGHTTRANS", "Score"),
        ("SPOTPATCH", "Score / Footprint"),
    }


def test_the_bar_from_the_papers_own_figures(papers_runs):
    rows = {row[0]: row for row in claims.claims(papers_runs).rows}
    score, footprint, ratio = list(rows.values())[:3]
    assert score[1] == pytest.approx(1858.4 / 1986.5, abs=1e-4)
    assert score[3] == "no"
    assert footprint[1] == pytest.approx(0.35 / 0.46, abs=1e-6)
    assert footprint[3] == "yes"
    assert ratio[1] == pytest.approx(5310 / 4789, abs=1e-3)
    assert ratio[3] == "yes"


def test_pascal_has_its_own_maps():
    outcome = made.outcome(0.5, 0.4)
    results = made.of(
        made.suite(1, ["FINE_TUNING"]),
        [made.run("FINE_TUNING", "birds", outcome)],
    )
    assert table_2.ours(results).rows[0][2:4] == (50.0, 50.0)
    pascal = table_2.ours(results, "pascal")
    assert pascal.rows[0][2:4] == (40.0, 40.0)
    assert pascal.key != table_2.ours(results).key


def test_gaps_are_words_and_totals_are_over_what_all_have():
    results = made.of(
        made.suite(3, ["FINE_TUNING", "BN_PATCH", "DW_PATCH"]),
        [
            made.run("FINE_TUNING", "birds", made.outcome(0.8, share=1.0)),
            made.run("FINE_TUNING", "cars", made.outcome(0.3, share=1.0)),
            made.run("FINE_TUNING", "coco", made.outcome(0.6, share=1.0)),
            made.run("BN_PATCH", "birds", made.outcome(0.7, share=0.1)),
            made.run("BN_PATCH", "cars", made.outcome(0.3, share=0.2)),
            made.run("BN_PATCH", "coco", None),
        ],
    )
    table = table_2.ours(results)
    # Score by hand in tests/decathlon/test_score.py, of 0.7 and 0.3.
    fine_tuning, bn_patch, dw_patch = table.rows
    assert fine_tuning == pytest.approx(
        ("FINE_TUNING", 2.0, 80.0, 30.0, 60.0, 55.0, 2500.0, 1250.0)
    )
    score = 10_000 / 2 * (1 / 16 + 1 / 4)
    assert bn_patch[:2] == ("BN_PATCH", pytest.approx(0.3, abs=1e-6))
    assert bn_patch[2:5] == (70.0, 30.0, "failed")
    assert bn_patch[5:] == pytest.approx((50.0, score, score / 0.3), rel=1e-6)
    assert dw_patch == (
        *("DW_PATCH", None, "not run", "not run", "not run"),
        *(None, None, None),
    )
    (note,) = (note for note in table.notes if "Left out" in note)
    assert "birds, cars. Left out: coco." in note


def test_without_fine_tuning_there_is_no_score():
    results = made.of(
        made.suite(1), [made.run("BN_PATCH", "birds", made.outcome(0.5))]
    )
    table = table_2.beside_the_paper(results)
    assert _row(table, "BN_PATCH")[3] == 50.0
    assert _row(table, "BN_PATCH")[5] is None
    assert any("no Score" in note for note in table.notes)


def test_a_perfect_baseline_leaves_its_task_out_of_the_score():
    runs = [
        made.run(method, task, made.outcome(value))
        for method, values in {
            "FINE_TUNING": (1.0, 0.5),
            "BN_PATCH": (0.9, 0.25),
        }.items()
        for task, value in zip(("birds", "cars"), values, strict=True)
    ]
    results = made.of(made.suite(2, ["FINE_TUNING", "BN_PATCH"]), runs)
    table = table_2.beside_the_paper(results)
    # cars alone: b = 0, (0.25 / 1)^2.
    assert _row(table, "BN_PATCH")[5] == pytest.approx(625.0)
    assert _row(table, "BN_PATCH")[3] == pytest.approx(57.5)
    assert any("leave out birds" in note for note in table.notes)
