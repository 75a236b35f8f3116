"""Table 2: every method on every task, and what it costs."""

from __future__ import annotations

import itertools

from object_detection_patch.decathlon.report import paper
from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.report.contents import (
    Cell,
    Column,
    Table,
)
from object_detection_patch.decathlon.report.tables import cells, order
from object_detection_patch.decathlon.report.tables.best import Wanted, best
from object_detection_patch.decathlon.report.tables.comparison import (
    Comparison,
    compare,
    ratio,
)
from object_detection_patch.decathlon.report.tables.setting import setting_note
from object_detection_patch.decathlon.score import MAXIMUM_SCORE
from object_detection_patch.decathlon.suite.suite import FINE_TUNING

_FOOTPRINT = (
    "Bits of all patches over bits of one base, both with 32-bit numbers and "
    "without the class head's last layer."
)
_SCORE = (
    f"Of at most {MAXIMUM_SCORE:,.0f}; {FINE_TUNING} has a quarter of that by "
    "definition (decathlon/score.py)."
)
_DEFINITIONS = {
    "coco": "COCO's definition, precision at 101 points of recall",
    "pascal": "Pascal VOC's definition, the area under the curve",
}


def beside_the_paper(results: Results) -> Table:
    """Footprint, average, Score and their ratio: ours, then the paper's."""
    compared = compare(results, cells.keras)
    rows = tuple(_pair(compared, method) for method in order.methods(results))
    highest: dict[int, Wanted] = dict.fromkeys(range(3, 9), "highest")
    return Table(
        "table_2_beside_the_paper",
        "Table 2: ours beside the paper's",
        (
            Column("Method"),
            Column("Footprint", "2", _FOOTPRINT),
            Column("paper", "2"),
            Column("Average mAP", "1", "mAP@0.5 in percent."),
            Column("paper", "1"),
            Column("Score", "integer", _SCORE),
            Column("paper", "integer"),
            Column("Score / Footprint", "integer"),
            Column("paper", "integer"),
        ),
        rows,
        (setting_note(results), *compared.notes(), *_fewer(compared)),
        best(rows, {1: "lowest", 2: "lowest", **highest}, apart=[FINE_TUNING]),
    )


def ours(results: Results, definition: str = "coco") -> Table:
    """mAP of every method on every task, and the totals.

    Args:
      definition: of average precision, `coco` or `pascal`.
    """
    value = cells.keras if definition == "coco" else cells.keras_pascal
    compared = compare(results, value)
    keys = [task.key for task in results.suite.tasks]
    rows = tuple(
        _row(results, compared, value, method, keys)
        for method in order.methods(results)
    )
    suffix = "" if definition == "coco" else f"_{definition}"
    return Table(
        f"table_2{suffix}",
        f"Table 2, ours: {_DEFINITIONS[definition]}",
        _columns(keys),
        rows,
        (
            setting_note(results),
            "mAP@0.5 in percent of the float32 model in Keras.",
            *compared.notes(),
        ),
        _best_of_table_2(rows),
    )


def printed() -> Table:
    """Table 2 as the paper prints it."""
    tasks = paper.tasks()
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            method,
            paper.total(method, "footprint"),
            *(paper.map_percent(method, task) for task in tasks),
            paper.total(method, "average_map"),
            paper.total(method, "score"),
            paper.total(method, "score_per_footprint"),
        )
        for method in paper.methods()
    )
    return Table(
        "table_2_paper",
        "Table 2, the paper's",
        _columns([task.casefold() for task in tasks]),
        rows,
        ("Ye et al., SpotPatch, Table 2.",),
        _best_of_table_2(rows),
    )


def _columns(tasks: list[str]) -> tuple[Column, ...]:
    return (
        Column("Method"),
        Column("Footprint", "2", _FOOTPRINT),
        *(Column(task, "1") for task in tasks),
        Column("Average mAP", "1"),
        Column("Score", "integer", _SCORE),
        Column("Score / Footprint", "integer"),
    )


def _row(
    results: Results,
    compared: Comparison,
    value: cells.Value,
    method: str,
    tasks: list[str],
) -> tuple[Cell, ...]:
    maps = [cells.cell(results, method, task, value) for task in tasks]
    footprint, average, score, per_footprint = _totals(compared, method)
    return (
        method,
        footprint,
        *(one if isinstance(one, str) else _percent(one) for one in maps),
        average,
        score,
        per_footprint,
    )


def _pair(compared: Comparison, method: str) -> tuple[Cell, ...]:
    footprint, average, score, per_footprint = _totals(compared, method)
    theirs = [
        paper.total(method, key) if compared.on_papers_tasks else None
        for key in ("footprint", "average_map", "score", "score_per_footprint")
    ]
    pairs = zip((footprint, average, score, per_footprint), theirs, strict=True)
    return (method, *itertools.chain.from_iterable(pairs))


def _fewer(compared: Comparison) -> tuple[str, ...]:
    if compared.on_papers_tasks:
        return ()
    return (
        "The paper's totals are of its nine tasks, and nothing to lay beside "
        "those of others or fewer; they stand in the paper's own table.",
    )


def _totals(
    compared: Comparison, method: str
) -> tuple[float | None, float | None, float | None, float | None]:
    """Footprint, average mAP in percent, Score, Score / Footprint."""
    footprint = compared.total(method, cells.footprint_32)
    score = compared.score(method)
    average = cells.percent(compared.average(method))
    return footprint, average, score, ratio(score, footprint)


def _percent(cell: Cell) -> float | None:
    return cells.percent(cells.number(cell))


def _best_of_table_2(
    rows: tuple[tuple[Cell, ...], ...],
) -> frozenset[tuple[int, int]]:
    columns = range(2, len(rows[0])) if rows else range(0)
    highest: dict[int, Wanted] = dict.fromkeys(columns, "highest")
    return best(rows, {1: "lowest", **highest}, apart=[FINE_TUNING])
