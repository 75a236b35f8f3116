"""The last rows against those that the paper prints below its Table 5."""

import pytest

from object_detection_patch.decathlon.report.tables import table_5
from tests.decathlon.report import results as made

_LABELS = ("1e-3", "1e-4", "1e-5")


def _tables(results):
    return table_5.ablation(results, results.suite.sparsity)


@pytest.fixture(scope="module")
def whole():
    return _tables(made.whole(made.suite()))


@pytest.mark.parametrize(
    ("index", "scale", "printed"),
    [
        (0, 100, (21.4, 33.8, 53.1)),
        (1, 100, (34.1, 34.8, 38.1)),
        (2, 1, (63.6, 64.4, 64.4)),
    ],
)
def test_the_papers_columns_sum_up_as_printed(whole, index, scale, printed):
    last = whole[index].rows[-1]
    papers = [scale * value for value in last[2::2]]
    # The authors rounded from figures with more digits than they print.
    assert papers == pytest.approx(printed, abs=0.1)


def test_ours_and_the_papers_stand_in_pairs(whole):
    for table in whole:
        titles = [column.title for column in table.columns]
        pairs = [t for label in _LABELS for t in (label, f"paper, {label}")]
        assert titles == ["Task", *pairs]
        assert [row[0] for row in table.rows[:-1]] == list(made.TASKS)
    assert [table.rows[-1][0] for table in whole] == [
        *("average", "sum", "average"),
    ]


def _ablated(task, outcome, label):
    variant = "" if label == "1e-4" else label
    experiment = "sparsity" if variant else "main"
    return made.run(
        "SPOTPATCH", task, outcome, experiment=experiment, variant=variant
    )


def _outcome(opened, share, value):
    return made.outcome(value, share=share, opened=made.gates(opened, 10))


def test_the_methods_own_value_is_the_main_experiments():
    runs = [
        _ablated("birds", _outcome(1, 0.02, 0.5), "1e-3"),
        _ablated("birds", _outcome(5, 0.03, 0.6), "1e-4"),
        _ablated("birds", _outcome(9, 0.05, 0.7), "1e-5"),
        _ablated("cars", _outcome(2, 0.02, 0.3), "1e-3"),
        _ablated("cars", _outcome(6, 0.04, 0.4), "1e-4"),
        _ablated("cars", None, "1e-5"),
    ]
    results = made.of(made.suite(3), runs)
    layers, footprint, maps = (
        [row[1::2] for row in table.rows] for table in _tables(results)
    )
    assert layers[:2] == [(0.1, 0.5, 0.9), (0.2, 0.6, "failed")]
    assert layers[2] == ("not run",) * 3
    # Over birds alone, which all three values have.
    assert layers[3] == (0.1, 0.5, 0.9)
    assert footprint[3] == pytest.approx((0.02, 0.03, 0.05), abs=1e-6)
    assert maps[3] == pytest.approx((50.0, 60.0, 70.0))
    notes = _tables(results)[0].notes
    assert any("all of our values have: birds." in note for note in notes)
    assert any(n.startswith("1e-4 is") and "all other" in n for n in notes)


def test_other_values_stand_beside_the_papers_by_rank():
    suite = made.suite(1)
    labels = {"3e-2": made.options(3e-2), "3e-3": made.options(3e-3)}
    (table, *_) = table_5.ablation(
        made.of(suite), type(suite.sparsity)(method="SPOTPATCH", options=labels)
    )
    assert [column.title for column in table.columns] == [
        *("Task", "3e-2", "paper, 1e-3", "3e-3", "paper, 1e-4"),
        "paper, 1e-5",
    ]
