import pytest

from object_detection_patch.decathlon.report.tables import table_3
from tests.decathlon.report import results as made


def _updated(method, percent, outcome):
    return made.run(
        method,
        "coco",
        outcome,
        experiment="updating",
        variant=f"coco_{percent}",
        base=f"coco_{percent}",
    )


@pytest.fixture
def results():
    return made.of(
        made.suite(3, ["FINE_TUNING", "SPOTPATCH"]),
        [
            _updated("SPOTPATCH", 10, made.outcome(0.32, share=0.05)),
            _updated("SPOTPATCH", 80, made.outcome(0.36, share=0.02)),
            _updated("SPOTPATCH", 20, None),
            # The main experiment's run of the same task is another one.
            made.run("SPOTPATCH", "coco", made.outcome(0.9)),
        ],
        [made.base("coco_40", "coco", percent=40, coco=0.31)],
    )


def test_map_of_bases_and_methods_beside_the_paper(results):
    table = table_3.accuracies(results, results.suite.updating)
    titles = [column.title for column in table.columns]
    assert titles == [
        "Method",
        *("10 %", "paper", "20 %", "paper"),
        *("40 %", "paper", "80 %", "paper"),
    ]
    base, fine_tuning, spotpatch = table.rows
    gap = "not run"
    assert base[1:] == (gap, None, gap, None, 31.0, None, gap, None)
    assert fine_tuning[1:] == (gap, 37.6, gap, 37.6, gap, 38.2, gap, 38.5)
    assert spotpatch[1:] == (32.0, 32.0, "failed", 31.4, gap, 34.2, 36.0, 35.8)


def test_footprints_are_shares(results):
    table = table_3.footprints(results, results.suite.updating)
    row = table.rows[1]
    assert row[1] == pytest.approx(0.05, abs=1e-6)
    assert row[7] == pytest.approx(0.02, abs=1e-6)
    assert row[2::2] == (0.0504, 0.0498, 0.0421, 0.0208)
    assert {column.style for column in table.columns[1:]} == {"percent"}
