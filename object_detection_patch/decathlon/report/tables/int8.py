"""What 8 bits cost: mAP of int8 models, measured in LiteRT."""

from __future__ import annotations

import statistics

from object_detection_patch.decathlon.report import paper
from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.report.contents import (
    Cell,
    Column,
    Table,
)
from object_detection_patch.decathlon.report.tables import cells
from object_detection_patch.decathlon.report.tables.comparison import (
    Comparison,
    compare,
)
from object_detection_patch.decathlon.report.tables.setting import setting_note
from object_detection_patch.decathlon.running import record
from object_detection_patch.decathlon.suite.suite import FINE_TUNING

_PATCHES = "all patches"


def accuracies(results: Results) -> Table | None:
    """Average mAP in Keras, in LiteRT, and in LiteRT with 8 bits."""
    compared = compare(results, _in_both)
    if not compared.tasks:
        return None
    rows = [_row(compared, (method,), method) for method in compared.methods]
    if compared.patches:
        rows.append(_row(compared, compared.patches, _PATCHES))
    return Table(
        "table_4_int8",
        "Table 4, measured: average mAP with 8 bits",
        (
            Column("Method"),
            Column("Keras", "2", "float32, mAP@0.5 in percent."),
            Column("LiteRT", "2", "Published float32 model."),
            Column("LiteRT int8", "2", "Published int8 model."),
            Column("Loss to LiteRT", "2", "In points; below 0 is a gain."),
            Column("Loss to Keras", "2", "In points."),
            Column("Greatest loss", "2", "To LiteRT, on one task, in points."),
            Column("paper", "1", "float32; it has no int8 models."),
        ),
        tuple(rows),
        (
            "The paper assumes that 8 bits cost no mAP; here int8 models are "
            "made and evaluated on all evaluation images.",
            f"{_PATCHES} is every method but {FINE_TUNING}.",
            setting_note(results),
            *compared.notes(),
        ),
    )


def mean_loss(results: Results, to: cells.Value) -> float | None:
    """Points of mAP that int8 loses on average, over patches and tasks.

    Args:
      to: the accuracy that it is lost from, in [0, 1].
    """
    compared = compare(results, _in_both)
    losses = _losses(compared, compared.patches, to)
    return statistics.fmean(losses) if losses else None


def _row(
    compared: Comparison, methods: tuple[str, ...], name: str
) -> tuple[Cell, ...]:
    to_litert = _losses(compared, methods, cells.litert_float32)
    to_keras = _losses(compared, methods, cells.keras)
    printed = paper.total(name, "average_map")
    return (
        name,
        _mean(compared, methods, cells.keras),
        _mean(compared, methods, cells.litert_float32),
        _mean(compared, methods, cells.litert_int8),
        statistics.fmean(to_litert),
        statistics.fmean(to_keras),
        max(to_litert),
        printed,
    )


def _mean(
    compared: Comparison, methods: tuple[str, ...], value: cells.Value
) -> float:
    """In percent."""
    values = (value(one) or 0.0 for one in _outcomes(compared, methods))
    return 100 * statistics.fmean(values)


def _losses(
    compared: Comparison, methods: tuple[str, ...], to: cells.Value
) -> list[float]:
    pairs = [
        (to(outcome), cells.litert_int8(outcome))
        for outcome in _outcomes(compared, methods)
    ]
    return [
        100 * (before - after)
        for before, after in pairs
        if before is not None and after is not None
    ]


def _outcomes(
    compared: Comparison, methods: tuple[str, ...]
) -> list[record.Outcome]:
    return [
        compared.outcomes[method][task]
        for method in methods
        for task in compared.tasks
    ]


def _in_both(outcome: record.Outcome) -> float | None:
    """int8 mAP of an outcome that has both precisions."""
    return cells.litert_int8(outcome) if outcome.float32 else None
