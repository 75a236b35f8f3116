"""How much of a difference is chance: mAP over seeds."""

from __future__ import annotations

import statistics

from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.report.contents import (
    Cell,
    Column,
    Table,
)
from object_detection_patch.decathlon.report.tables import cells, order
from object_detection_patch.decathlon.suite.runs import MAIN


def over_seeds(results: Results) -> Table | None:
    """A row for each task and method with two seeds or more."""
    rows = [
        (task.key, method, *_summary(values))
        for task in results.suite.tasks
        for method in order.methods(results)
        if len(values := _values(results, method, task.key)) > 1
    ]
    if not rows:
        return None
    return Table(
        "spread",
        "Spread over seeds, mAP@0.5 in percent",
        (
            Column("Task"),
            Column("Method"),
            Column("Mean", "2"),
            Column(
                "Standard deviation",
                "2",
                "Of a sample: the squares are divided by n - 1.",
            ),
            Column("Lowest", "2"),
            Column("Highest", "2"),
            Column("Seeds", "integer"),
        ),
        tuple(rows),
        (
            "float32 models in Keras, COCO's definition. A seed decides the "
            "order of images, their augmentation and the initial values.",
            f"All other tables have seed {cells.SEED} alone.",
        ),
    )


def _values(results: Results, method: str, task: str) -> list[float]:
    """mAP in percent, of every seed with a result."""
    return [
        100 * cells.keras(run.outcome)
        for (experiment, name, key, _, _), run in results.runs.items()
        if (experiment, name, key) == (MAIN, method, task) and run.outcome
    ]


def _summary(values: list[float]) -> tuple[Cell, ...]:
    return (
        statistics.fmean(values),
        statistics.stdev(values),
        min(values),
        max(values),
        len(values),
    )
