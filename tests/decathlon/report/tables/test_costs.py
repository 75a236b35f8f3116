import pytest

from object_detection_patch.decathlon.report.tables import costs
from tests.decathlon.report import results as made

_MIB = 2**20


@pytest.fixture
def results():
    done = made.outcome(0.5)
    runs = [
        made.run(
            "BN_PATCH",
            "birds",
            done,
            seconds={"train": 60.0, "evaluate": 4.0},
            peak_bytes=900 * _MIB,
        ),
        made.run(
            "BN_PATCH",
            "birds",
            done,
            seed=2,
            seconds={"train": 80.0, "publish": 10.0},
            peak_bytes=1000 * _MIB,
        ),
        made.run("DW_PATCH", "birds", None, seconds={"train": 7.0}),
    ]
    return made.of(made.suite(1), runs, [made.base()])


def test_medians_of_finished_runs_over_those_with_the_phase(results):
    table = costs.by_method(results)
    assert [column.title for column in table.columns] == [
        *("Method", "Runs", "train, s", "publish, s", "evaluate, s"),
        *("All, s", "Memory, MiB"),
    ]
    assert table.rows == (("BN_PATCH", 2, 70.0, 10.0, 4.0, 84.0, 1000.0),)
    assert any("made up, 2 cores" in note for note in table.notes)


def test_one_slow_run_does_not_move_a_median():
    runs = [
        made.run("BN_PATCH", "birds", made.outcome(0.5), seed=seed, seconds=s)
        for seed, s in enumerate(
            ({"train": 10.0}, {"train": 11.0}, {"train": 400.0})
        )
    ]
    (row,) = costs.by_method(made.of(made.suite(1), runs)).rows
    assert row[2:4] == (11.0, 11.0)


def test_a_phase_that_no_run_of_a_method_had():
    runs = [
        made.run(
            "BN_PATCH", "birds", made.outcome(0.5), seconds={"train": 9.0}
        ),
        made.run("DW_PATCH", "birds", made.outcome(0.5), seconds={"int8": 4.0}),
    ]
    table = costs.by_method(made.of(made.suite(1), runs))
    assert [row[2:5] for row in table.rows] == [
        (9.0, None, 9.0),
        (None, 4.0, 4.0),
    ]


def test_all_time_that_was_spent(results):
    table = costs.by_phase(results)
    rows = {row[0]: row[1:] for row in table.rows}
    # The base took 300 + 40, the failed run 7.
    assert rows["train"] == pytest.approx((447.0, 447 / 501))
    assert rows["publish"] == pytest.approx((50.0, 50 / 501))
    assert rows["all"] == (501.0, 1.0)
    assert sum(row[2] for row in table.rows[:-1]) == pytest.approx(1.0)
    assert "3 runs" in table.notes[0] and "1 bases" in table.notes[0]


def test_nothing_done_costs_nothing():
    results = made.of(made.suite(1))
    assert costs.by_method(results) is None
    assert costs.by_phase(results) is None
