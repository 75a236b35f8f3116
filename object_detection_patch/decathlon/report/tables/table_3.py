"""Table 3: updating bases that have seen a part of the data."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from object_detection_patch.decathlon.report import paper
from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.report.contents import (
    Cell,
    Column,
    Style,
    Table,
)
from object_detection_patch.decathlon.report.tables import cells, order
from object_detection_patch.decathlon.report.tables.best import Wanted, best
from object_detection_patch.decathlon.report.tables.setting import setting_note
from object_detection_patch.decathlon.running import record
from object_detection_patch.decathlon.suite.runs import UPDATING
from object_detection_patch.decathlon.suite.suite import (
    FINE_TUNING,
    Base,
    Updating,
)

_BASE = "base, not patched"


def accuracies(results: Results, updating: Updating) -> Table:
    """mAP of the bases and of what each method makes of them."""
    untouched = (
        _base_map(results, base) if ours else None
        for base in updating.bases
        for ours in (True, False)
    )
    rows = (
        (_BASE, *untouched),
        *_rows(
            results, updating, _map, lambda m, p: paper.updating(m, "map", p)
        ),
    )
    return Table(
        "table_3_map",
        "Table 3: model updating, mAP@0.5 in percent",
        _columns(updating, "1"),
        rows,
        _notes(results, updating),
        _best(rows, "highest"),
    )


def footprints(results: Results, updating: Updating) -> Table:
    """Nominal share of the base's bits that each patch takes."""
    rows = _rows(results, updating, cells.footprint_32, _printed_footprint)
    return Table(
        "table_3_footprint",
        "Table 3: model updating, footprint with 32-bit numbers",
        _columns(updating, "percent"),
        rows,
        _notes(results, updating),
        _best(rows, "lowest"),
    )


def footprint(
    results: Results, updating: Updating, method: str, base: Base
) -> Cell:
    """Nominal share of the base's bits that updating it with a patch takes."""
    return _cell(results, updating, method, base, cells.footprint_32)


def _columns(updating: Updating, style: Style) -> tuple[Column, ...]:
    pairs = (
        (Column(f"{base.percent} %", style), Column("paper", style))
        for base in updating.bases
    )
    return (Column("Method"), *(column for pair in pairs for column in pair))


def _rows(
    results: Results,
    updating: Updating,
    value: cells.Value,
    printed: Callable[[str, int], float | None],
) -> tuple[tuple[Cell, ...], ...]:
    rows = []
    for method in order.methods(results):
        row: list[Cell] = [method]
        for base in updating.bases:
            row.append(_cell(results, updating, method, base, value))
            row.append(printed(method, base.percent))
        rows.append(tuple(row))
    return tuple(rows)


def _cell(
    results: Results,
    updating: Updating,
    method: str,
    base: Base,
    value: cells.Value,
) -> Cell:
    return cells.cell(
        results,
        method,
        updating.task,
        value,
        experiment=UPDATING,
        variant=base.key,
    )


def _notes(results: Results, updating: Updating) -> tuple[str, ...]:
    return (
        f"Columns: share of the training images of {updating.task} that the "
        "base has seen; each method then trains on all of them.",
        "The paper updates detectors of COCO; it does not tabulate the mAP of "
        "its bases.",
        setting_note(results),
    )


def _best(
    rows: Sequence[Sequence[Cell]], wanted: Wanted
) -> frozenset[tuple[int, int]]:
    columns = range(1, len(rows[0])) if rows else range(0)
    ends: dict[int, Wanted] = dict.fromkeys(columns, wanted)
    return best(rows, ends, apart=[FINE_TUNING, _BASE])


def _base_map(results: Results, base: Base) -> Cell:
    found = results.bases.get(base.key)
    return cells.percent(found.accuracy.coco) if found else cells.NOT_RUN


def _map(outcome: record.Outcome) -> float | None:
    return cells.percent(cells.keras(outcome))


def _printed_footprint(method: str, percent: int) -> float | None:
    return paper.share(paper.updating(method, "footprint_percent", percent))
