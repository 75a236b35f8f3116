"""Joint beside independent trainings: made-up runs, sums by hand."""

from __future__ import annotations

import pytest

from object_detection_patch.decathlon.report.build import build_tables
from object_detection_patch.decathlon.report.tables import (
    joint,
    joint_claims,
    rates,
)
from tests.decathlon.report import joint_results
from tests.decathlon.report import results as made

_VALUES = {
    "PRIVATE_NONE": (0.40, 0.50),
    "PRIVATE_BATCH_NORM": (0.60, 0.62),
    "PRIVATE_BOTH": (0.40, 0.48),
}
# What the made-up records say of a class head, and of a base.
_HEAD, _BASE = 10_000, made.BASE_PARAMETERS


@pytest.fixture(scope="module")
def results():
    return joint_results.of(
        [
            *joint_results.jointly(_VALUES),
            *joint_results.independently((0.65, 0.65)),
        ]
    )


def _row(results, method):
    """Title -> cell; the later of two alike is left out."""
    table = joint.beside_the_paper(results, joint_results.GIVEN)
    (row,) = (row for row in table.rows if row[0] == method)
    titles = [column.title for column in table.columns]
    return dict(zip(reversed(titles), reversed(row), strict=True))


def test_rows_go_from_sharing_everything_to_nothing(results):
    table = joint.beside_the_paper(results, joint_results.GIVEN)

    assert [row[0] for row in table.rows] == [*_VALUES, "FINE_TUNING"]
    assert "coco" not in [column.title for column in table.columns]


def test_map_of_tasks_and_their_mean(results):
    row = _row(results, "PRIVATE_BATCH_NORM")

    assert [row["birds"], row["cars"]] == pytest.approx([60, 62])
    assert row["Average mAP"] == pytest.approx(61)
    assert (row["Seeds"], row["deviation"]) == (1, None)
    assert row["Rate"] == "0.02"


def test_sizes_are_of_everything_that_all_tasks_need(results):
    shared = _row(results, "PRIVATE_BATCH_NORM")
    alone = _row(results, "FINE_TUNING")

    assert alone["Parameters"] == pytest.approx(2 * (_BASE + _HEAD))
    # The new base has the first task's tenth; the second needs one more.
    expected = _BASE + 0.1 * _BASE + 2 * _HEAD
    assert shared["Parameters"] == pytest.approx(expected, abs=1)
    assert shared["over independent"] == pytest.approx(
        expected / alone["Parameters"]
    )
    assert shared["Patch files"] == 2000
    # An even part of the whole training stands in each record.
    assert (shared["Training, s"], alone["Training, s"]) == (200, 300)


def test_the_papers_figures_stand_beside(results):
    row = _row(results, "PRIVATE_BATCH_NORM")

    assert (row["ImageNet"], row["Places365"]) == (70.2, 54.3)
    assert row["paper's average"] == pytest.approx((70.2 + 54.3) / 2)
    assert row["paper, millions"] == 3.97
    assert row["paper"] == pytest.approx(3.97 / 6.05)
    assert _row(results, "FINE_TUNING")["ImageNet"] == 71.8
    assert _row(results, "PRIVATE_NONE")["Places365"] == 51.4
    assert _row(results, "PRIVATE_BOTH")["ImageNet"] is None


def test_means_are_over_seeds_that_all_rows_have():
    values = {"PRIVATE_NONE": (0.5, 0.6), "PRIVATE_BOTH": (0.5, 0.7)}
    again = {"PRIVATE_NONE": (0.3, 0.6), "PRIVATE_BOTH": (0.5, 0.7)}
    runs = [
        *joint_results.jointly(values),
        *joint_results.jointly(again, seed=2),
        *joint_results.jointly({"PRIVATE_NONE": (0.0, 0.0)}, seed=3),
        *joint_results.independently((0.6, 0.6)),
        *joint_results.independently((0.6, 0.6), seed=2),
    ]
    row = _row(joint_results.of(runs), "PRIVATE_NONE")

    assert row["Seeds"] == 2
    assert row["birds"] == pytest.approx(40)
    assert row["Average mAP"] == pytest.approx(50)
    # Of 55 and 45.
    assert row["deviation"] == pytest.approx(50**0.5)


def test_a_task_without_a_result_leaves_its_row_out_of_means():
    whole = joint_results.jointly({"PRIVATE_NONE": (0.5, 0.6)})
    parted = [
        joint_results.run("PRIVATE_BOTH", "birds", made.outcome(0.7)),
        joint_results.run("PRIVATE_BOTH", "cars", None),
    ]
    found = joint_results.of([*whole, *parted])
    row = _row(found, "PRIVATE_BOTH")

    assert (row["birds"], row["cars"]) == (pytest.approx(70), "failed")
    assert (row["Seeds"], row["Average mAP"]) == (0, None)
    assert row["Parameters"] is None
    assert _row(found, "PRIVATE_NONE")["Average mAP"] == pytest.approx(55)
    assert _row(found, "FINE_TUNING")["birds"] == "not run"


def _claims(results):
    table = joint_claims.claims(results, joint_results.GIVEN)
    return {row[0]: row[1:] for row in table.rows}


def test_claims_of_the_paper(results):
    found = _claims(results)
    value, required, holds, paper, there = found[
        "Average of PRIVATE_BATCH_NORM less that of PRIVATE_NONE"
    ]
    assert (value, required, holds) == (pytest.approx(16), "at least 0", "yes")
    assert (paper, there) == (pytest.approx(62.25 - 57.9), "yes")
    value, _, holds, paper, _ = found[
        "Average of PRIVATE_BOTH less that of PRIVATE_NONE"
    ]
    assert (value, holds, paper) == (pytest.approx(-1), "no", None)
    value, _, holds, paper, _ = found[
        "Share of the gain of FINE_TUNING that PRIVATE_BATCH_NORM has"
    ]
    assert (value, holds) == (pytest.approx(16 / 20), "yes")
    assert paper == pytest.approx(4.35 / 5.1)
    value, _, holds, paper, there = found[
        "Average of FINE_TUNING less that of PRIVATE_BATCH_NORM"
    ]
    assert (value, holds) == (pytest.approx(4), "no")
    assert (paper, there) == (pytest.approx(0.75), "yes")
    (size,) = (row for name, row in found.items() if "Parameters" in name)
    assert size[2:] == ("yes", pytest.approx(3.97 / 6.05), "yes")


def test_without_independent_models_their_gain_is_not_known():
    found = _claims(joint_results.of(joint_results.jointly(_VALUES)))
    known = {name for name, row in found.items() if row[2] != "not known"}

    assert known == {
        f"Average of {name} less that of PRIVATE_NONE"
        for name in ("PRIVATE_BATCH_NORM", "PRIVATE_BOTH")
    }


def test_rates_that_were_tried(results):
    tuning = results.suite.tuning
    table = rates.joint_trials(results, tuning, joint_results.GIVEN)

    assert [column.title for column in table.columns][2:-2] == [
        *joint_results.TASKS
    ]
    assert table.rows == (
        ("PRIVATE_BOTH", "0.01", "not run", "not run", None, None),
        ("PRIVATE_BOTH", "0.03", "not run", "not run", None, "yes"),
    )


def test_there_is_a_section_once_a_joint_training_has_run(results):
    def keys(found):
        return [section.key for section in build_tables(found)]

    assert "joint" in keys(results)
    failed = joint_results.run("PRIVATE_BOTH", "birds", None)
    assert "joint" not in keys(joint_results.of([failed]))
    assert "joint" not in keys(made.whole(made.suite(2)))
