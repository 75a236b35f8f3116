"""Table 5: the weight of the sparsity loss."""

from __future__ import annotations

import dataclasses
import itertools
import math
import statistics
from collections.abc import Sequence

from object_detection_patch.decathlon.report import paper
from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.report.contents import (
    Cell,
    Column,
    Style,
    Table,
)
from object_detection_patch.decathlon.report.tables import cells, order
from object_detection_patch.decathlon.report.tables.setting import setting_note
from object_detection_patch.decathlon.running import record
from object_detection_patch.decathlon.suite.runs import MAIN, SPARSITY
from object_detection_patch.decathlon.suite.suite import Sparsity

_AVERAGE, _SUM = "average", "sum"


@dataclasses.dataclass(frozen=True)
class _Quantity:
    """One of the three things that the table has for every value."""

    key: str
    title: str
    style: Style
    value: cells.Value
    printed: paper.Ablated
    summary: str


def _map(outcome: record.Outcome) -> float | None:
    return cells.percent(cells.keras(outcome))


_QUANTITIES = (
    _Quantity(
        "table_5_layers",
        "patched layers",
        "percent",
        cells.open_kernels,
        "patched_percent",
        _AVERAGE,
    ),
    _Quantity(
        "table_5_footprint",
        "footprint with 32-bit numbers",
        "percent",
        cells.footprint_32,
        "footprint_percent",
        _SUM,
    ),
    _Quantity("table_5_map", "mAP@0.5 in percent", "1", _map, "map", _AVERAGE),
)


def ablation(results: Results, sparsity: Sparsity) -> tuple[Table, ...]:
    """Patched layers, footprint and mAP, by task and value of lambda_sps."""
    return tuple(
        _table(results, sparsity, quantity) for quantity in _QUANTITIES
    )


def _table(results: Results, sparsity: Sparsity, quantity: _Quantity) -> Table:
    tasks = [task.key for task in results.suite.tasks]
    ours = {
        label: [
            _cell(results, sparsity, label, t, quantity.value) for t in tasks
        ]
        for label in order.labels(sparsity.options)
    }
    theirs = {
        label: [_printed(task, quantity.printed, label) for task in tasks]
        for label in paper.sparsity_labels()
    }
    complete = _complete(list(ours.values()))
    rows: list[list[Cell]] = [[*tasks, quantity.summary]]
    columns = [Column("Task")]
    for label, printed in itertools.zip_longest(ours, theirs):
        if label is not None:
            columns.append(Column(label, quantity.style))
            rows.append(_summed(ours[label], complete, quantity.summary))
        if printed is not None:
            columns.append(Column(f"paper, {printed}", quantity.style))
            known = _complete([theirs[printed]])
            rows.append(_summed(theirs[printed], known, quantity.summary))
    return Table(
        quantity.key,
        f"Table 5: lambda_sps of {sparsity.method}, {quantity.title}",
        tuple(columns),
        tuple(zip(*rows, strict=True)),
        _notes(results, sparsity, [tasks[index] for index in complete]),
    )


def _cell(
    results: Results,
    sparsity: Sparsity,
    label: str,
    task: str,
    value: cells.Value,
) -> Cell:
    is_main = _is_main(results, sparsity, label)
    return cells.cell(
        results,
        sparsity.method,
        task,
        value,
        experiment=MAIN if is_main else SPARSITY,
        variant="" if is_main else label,
    )


def _is_main(results: Results, sparsity: Sparsity, label: str) -> bool:
    """Whether the main experiment has the runs of a label."""
    usual = results.suite.methods[sparsity.method].options
    return sparsity.options[label] == usual


def _printed(task: str, quantity: paper.Ablated, label: str) -> Cell:
    value = paper.sparsity(task, quantity, label)
    return value if quantity == "map" else paper.share(value)


def _complete(columns: Sequence[Sequence[Cell]]) -> list[int]:
    """Rows with a number in every column."""
    return [
        index
        for index, row in enumerate(zip(*columns, strict=True))
        if all(cells.number(cell) is not None for cell in row)
    ]


def _summed(
    column: Sequence[Cell], rows: Sequence[int], summary: str
) -> list[Cell]:
    """A column with the average or sum of some of its rows below."""
    known = [n for r in rows if (n := cells.number(column[r])) is not None]
    combine = statistics.fmean if summary == _AVERAGE else math.fsum
    return [*column, combine(known) if known else None]


def _notes(
    results: Results, sparsity: Sparsity, complete: Sequence[str]
) -> tuple[str, ...]:
    notes = [
        _note(results, sparsity, label)
        for label in order.labels(sparsity.options)
    ]
    if len(complete) < len(results.suite.tasks):
        notes.append(
            "The last row of ours is over the tasks that all of our values "
            f"have: {', '.join(complete) or 'none'}."
        )
    return (*notes, setting_note(results))


def _note(results: Results, sparsity: Sparsity, label: str) -> str:
    options = " ".join(sparsity.options[label].split()) or "the default"
    is_main = _is_main(results, sparsity, label)
    return f"{label} is {options}{', as in all other tables' * is_main}."
