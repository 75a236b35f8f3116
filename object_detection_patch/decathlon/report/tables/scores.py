"""Score and Score / Footprint by several ways to count a patch."""

from __future__ import annotations

from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.report.contents import (
    Cell,
    Column,
    Table,
)
from object_detection_patch.decathlon.report.tables.best import Wanted, best
from object_detection_patch.decathlon.report.tables.comparison import (
    Comparison,
    compare,
    ratio,
)
from object_detection_patch.decathlon.report.tables.costing import (
    SCORED,
    Costing,
)
from object_detection_patch.decathlon.suite.suite import FINE_TUNING


def tables(results: Results) -> tuple[Table, ...]:
    """A table for each costing that was measured."""
    made = (_table(results, costing) for costing in SCORED)
    return tuple(table for table in made if table)


def _table(results: Results, costing: Costing) -> Table | None:
    compared = compare(results, costing.accuracy)
    if not compared.tasks:
        return None
    rows = tuple(
        _row(results, compared, costing, method) for method in compared.methods
    )
    wanted: dict[int, Wanted] = {
        **dict.fromkeys((1, 3, 5), "highest"),
        **dict.fromkeys((2, 4), "lowest"),
    }
    return Table(
        f"scores_{costing.key}",
        f"Score and its price: {costing.title}",
        (
            Column("Method"),
            Column("Score", "integer"),
            Column("Footprint without class head", "3"),
            Column("Score / Footprint without", "integer"),
            Column("Footprint with class head", "3"),
            Column("Score / Footprint with", "integer"),
        ),
        rows,
        (*costing.notes, *compared.notes()),
        best(rows, wanted, apart=[FINE_TUNING]),
    )


def _row(
    results: Results, compared: Comparison, costing: Costing, method: str
) -> tuple[Cell, ...]:
    score = compared.score(method)
    without, whole = (
        compared.total(method, costing.footprint(results, class_head=with_it))
        for with_it in (False, True)
    )
    return (
        method,
        score,
        without,
        ratio(score, without),
        whole,
        ratio(score, whole),
    )
