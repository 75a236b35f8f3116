"""COMPACT beside SPOTPATCH, computed by hand."""

from __future__ import annotations

import msgspec
import pytest

from object_detection_patch.decathlon.report import build
from object_detection_patch.decathlon.report.tables import compact
from object_detection_patch.decathlon.running import record
from object_detection_patch.decathlon.suite.runs import COMPACT
from object_detection_patch.decathlon.suite.suite import Compact
from tests.decathlon.report import results as made

_GIVEN = Compact(
    tasks=("birds",), rate=1e-3, options={"grid_4_4": "", "grid_3_4": ""}
)


def _outcome(coco, sizes):
    """What a run gave; `sizes` by encoding."""
    return msgspec.structs.replace(
        made.outcome(coco),
        file_bytes={
            name: record.FileBytes(whole=size, without_class_head=size)
            for name, size in sizes.items()
        },
    )


_SPOTPATCH = {"exact": 400, "half": 200, "small": 150, "compact": 120}


def _results(*more):
    suite = msgspec.structs.replace(
        made.suite(2, ["FINE_TUNING", "BN_PATCH", "SPOTPATCH"]),
        compact=_GIVEN,
    )
    runs = [
        made.run("FINE_TUNING", "birds", _outcome(0.5, {})),
        made.run("SPOTPATCH", "birds", _outcome(0.5, _SPOTPATCH)),
        *more,
    ]
    return made.of(suite, runs)


def _compact(coco, size, seed, variant="grid_4_4"):
    sizes = {"exact": 500, "half": 300, "small": 200, "compact": size}
    return made.run(
        "COMPACT",
        "birds",
        _outcome(coco, sizes) if size else None,
        experiment=COMPACT,
        variant=variant,
        seed=seed,
    )


def test_by_hand():
    results = _results(
        _compact(0.5, 80, 1), _compact(0.25, 120, 2), _compact(0, None, 3)
    )
    table = compact.table(results, _GIVEN)
    *usual, row = table.rows

    assert [column.title for column in table.columns][3:5] == [
        "birds",
        "Score",
    ]
    assert [(one[0], one[1], one[6]) for one in usual] == [
        ("SPOTPATCH", name, _SPOTPATCH[name])
        for name in ("exact", "half", "compact")
    ]
    # Equation 7 where fine-tuning has 0.5: 10,000 times the mAP squared.
    assert usual[1][4] == pytest.approx(2500)
    assert usual[0][7] == pytest.approx(200 / 400)
    assert row[:3] == ("COMPACT grid_4_4", "compact", 2)
    mean = (2500 + 625) / 2
    assert row[3:] == pytest.approx(
        (37.5, mean, 1875 / 2**0.5, 100, mean / 100 / (2500 / 200))
    )


def test_one_seed_has_no_deviation_and_failures_no_row():
    results = _results(_compact(0.5, 80, 1), _compact(0, None, 1, "grid_3_4"))
    table = compact.table(results, _GIVEN)

    assert [row[0] for row in table.rows if "COMPACT" in row[0]] == [
        "COMPACT grid_4_4"
    ]
    assert all(row[5] is None for row in table.rows)


def test_a_note_says_what_budgets_are_where_there_are_some():
    targets = {"budget_1": "  target_file_bytes: 1234\n"}
    results = _results(_compact(0.5, 80, 1))

    def notes(given):
        return " ".join(compact.table(results, given).notes)

    assert "(target_file_bytes): budget_1 1,234;" in notes(
        msgspec.structs.replace(_GIVEN, options=_GIVEN.options | targets)
    )
    assert "target" not in notes(_GIVEN)


def test_every_task_where_one_of_them_has_run_everywhere():
    def run(method, task, coco, **more):
        return made.run(method, task, _outcome(coco, _SPOTPATCH), **more)

    def late(task, coco):
        return run("COMPACT", task, coco, experiment=COMPACT, variant="late")

    given = msgspec.structs.replace(
        _GIVEN, options=_GIVEN.options | {"late": ""}, on_all_tasks=("late",)
    )
    suite = msgspec.structs.replace(
        made.suite(2, ["FINE_TUNING", "SPOTPATCH"]), compact=given
    )
    first, second = (task.key for task in suite.tasks)
    runs = [
        *(run("FINE_TUNING", task, 0.5) for task in (first, second)),
        *(run("SPOTPATCH", task, 0.5) for task in (first, second)),
        _compact(0.5, 80, 1),
        late(first, 0.5),
    ]
    assert compact.on_all_tasks(made.of(suite, runs), given) is None

    whole = made.of(suite, [*runs, late(second, 0.75)])
    *usual, row = compact.on_all_tasks(whole, given).rows
    assert [one[0] for one in usual] == ["SPOTPATCH"] * 3
    assert row[:3] == ("COMPACT late", "compact", 1)
    # 1,250 where it equals fine-tuning, 1.5^2 of that at half the error.
    assert row[3:6] == pytest.approx((50.0, 75.0, 4062.5))
    assert row[6:] == (None, 240, pytest.approx(4062.5 / 240 / (2500 / 400)))
    assert "compact_on_all_tasks" in [
        table.key
        for section in build.build_tables(whole)
        for table in section.tables
    ]


def test_the_section_comes_with_the_first_result():
    def keys(results):
        return [section.key for section in build.build_tables(results)]

    assert "compact" not in keys(_results())
    assert "compact" in keys(_results(_compact(0.5, 80, 1)))
