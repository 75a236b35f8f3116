"""Table 1: the data sets, as the converters counted them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from object_detection_patch.decathlon.report import paper
from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.report.contents import (
    Cell,
    Column,
    Table,
)
from object_detection_patch.decathlon.report.tables.setting import setting_note
from object_detection_patch.decathlon.suite.suite import SuiteTask

_NO_REPORT = "no report"
_CLASSES = "Classes with a box in either split."


def datasets(results: Results) -> Table:
    """Images, boxes and classes of the source and of every task."""
    suite = results.suite
    return Table(
        "table_1",
        "Table 1: data sets",
        (
            Column("Key"),
            Column("Name"),
            Column("Train images", "integer"),
            Column("paper", "integer", "Train and validation together."),
            Column("Eval images", "integer"),
            Column("paper", "integer"),
            Column("Classes", "integer", _CLASSES),
            Column("paper", "integer"),
            Column("Train boxes", "integer"),
            Column("Eval boxes", "integer"),
        ),
        tuple(
            _row(task, results.conversions.get(task.key, {}))
            for task in (suite.source, *suite.tasks)
        ),
        (
            "Ours are counts of the converters' own reports, of what was "
            "written to the records.",
            setting_note(results),
        ),
    )


def _row(task: SuiteTask, reports: Mapping[str, Any]) -> tuple[Cell, ...]:
    train, evaluation = reports.get("train"), reports.get("eval")
    printed = paper.counts(task.key)
    return (
        task.key,
        task.name,
        _count(train, "images", "written"),
        printed.trainval if printed else None,
        _count(evaluation, "images", "written"),
        printed.eval if printed else None,
        _classes(train, evaluation),
        printed.classes if printed else None,
        _count(train, "boxes", "kept"),
        _count(evaluation, "boxes", "kept"),
    )


def _count(report: Any, what: str, which: str) -> Cell:
    return int(report["counts"][what][which]) if report else _NO_REPORT


def _classes(*reports: Any) -> Cell:
    found = [set(report["counts"]["classes"]) for report in reports if report]
    return len(set.union(*found)) if found else _NO_REPORT
