"""Adapters, routing and their rivals on three tasks of graded distance."""

from __future__ import annotations

from collections.abc import Sequence

from object_detection_patch.decathlon.report import family_papers
from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.report.contents import (
    Cell,
    Column,
    Table,
)
from object_detection_patch.decathlon.report.tables import (
    cells,
    costing,
    family_rows,
)
from object_detection_patch.decathlon.report.tables.best import best
from object_detection_patch.decathlon.report.tables.comparison import (
    Comparison,
    compared,
    ratio,
)
from object_detection_patch.decathlon.suite.suite import FINE_TUNING, Families

_FILES = costing.small_files()


def comparison(results: Results, families: Families) -> Comparison:
    """All methods on the families' tasks, by mAP in Keras."""
    rows = family_rows.rows(results, families)
    return compared(rows, families.tasks, cells.keras)


def ours(results: Results, families: Families) -> Table:
    """mAP, Score, size and time of every method on these tasks."""
    found = comparison(results, families)
    rows = tuple(
        _row(results, families, found, method) for method in found.methods
    )
    last = 1 + len(families.tasks)
    return Table(
        "families",
        "Every method on these tasks",
        (
            Column("Method"),
            *(Column(task, "1", "mAP@0.5 in percent.") for task in found.tasks),
            Column("Average mAP", "1"),
            Column("Score", "integer", "Over these tasks alone."),
            Column(
                "Footprint",
                "3",
                "Bits of all patches over bits of one base, both with 32-bit "
                "numbers and without the class head's last layer.",
            ),
            Column("Files", "bytes", "All patches, encoded small, with heads."),
            Column("Training, s", "1", "Median of a training."),
            Column(f"over {FINE_TUNING}", "2"),
        ),
        rows,
        _notes(found),
        best(
            rows,
            {
                **dict.fromkeys(range(1, last + 2), "highest"),
                **dict.fromkeys((last + 2, last + 3), "lowest"),
            },
            apart=[FINE_TUNING],
        ),
    )


def beside_the_papers(results: Results, families: Families) -> Table:
    """Averages, Scores and sizes: ours, then what the papers print."""
    found = comparison(results, families)
    printed = [
        (
            method,
            cells.percent(found.average(method)),
            family_papers.adapted_average(method),
            family_papers.routed_average(method),
            found.score(method),
            family_papers.score(method),
            _sizes(found, method),
            family_papers.size(method),
        )
        for method in found.methods
    ]
    return Table(
        "families_beside_the_papers",
        "Ours beside the papers of adapters and SpotTune",
        (
            Column("Method"),
            Column("Average mAP", "1"),
            Column("adapters' paper", "2", "Mean top-1 accuracy of ten tasks."),
            Column("SpotTune's", "2", "Mean top-1 accuracy of five tasks."),
            Column("Score", "integer"),
            Column("papers", "integer", "Of the Visual Decathlon."),
            Column("Size", "2", "Base and patches together, in bases."),
            Column("papers", "2", "Of ten tasks, in networks."),
        ),
        tuple(row for row in printed if any(row[i] for i in (2, 3, 5, 7))),
        (
            "Not the same thing measured: the papers classify photographs, at "
            "72 px with a ResNet-26, whose kernels are 3 x 3 (adapters; Scores "
            "and sizes of both), or with a ResNet-50 (SpotTune's mean). Ours "
            f"detect, on {len(families.tasks)} tasks, with a MobileNetV2, most "
            "of whose kernels are 1 x 1: there a whole adapter is as large as "
            "its kernel. Only the order of methods can be compared.",
            "Score is relative to fine-tuning in both, with other constants "
            "and another number of tasks. The papers' sizes count ImageNet as "
            "one of ten tasks.",
        ),
    )


def routing(results: Results, families: Families) -> Table | None:
    """What images choose, and what the choice is worth."""
    rows = tuple(
        (
            method,
            task,
            cells.percent(outcome.accuracy.coco),
            cells.percent(chosen.always_tuned.coco)
            if chosen.always_tuned
            else None,
            _mean_blocks(chosen.histogram),
            len(chosen.blocks),
            sum(0 < block.share < 1 for block in chosen.blocks),
        )
        for method, row in family_rows.rows(results, families).items()
        if method != family_rows.ALWAYS_TUNED
        for task, outcome in row.items()
        if (chosen := outcome.routing)
    )
    if not rows:
        return None
    return Table(
        "families_routing",
        "Which blocks the evaluation images take",
        (
            Column("Method"),
            Column("Task"),
            Column("mAP", "1", "As the images choose."),
            Column("always tuned", "1", "All through every tuned block."),
            Column("Tuned blocks", "1", "Mean of an image."),
            Column("of", "integer"),
            Column(
                "Contested",
                "integer",
                "Blocks that some images take tuned, and some not.",
            ),
        ),
        rows,
    )


def _row(
    results: Results, families: Families, found: Comparison, method: str
) -> tuple[Cell, ...]:
    seconds = family_rows.training_seconds(results, families, method)
    usual = family_rows.training_seconds(results, families, FINE_TUNING)
    return (
        method,
        *(cells.percent(found.accuracy[method][t]) for t in found.tasks),
        cells.percent(found.average(method)),
        found.score(method),
        found.total(method, cells.footprint_32),
        found.total(method, _FILES.whole),
        seconds,
        ratio(seconds, usual),
    )


def _sizes(found: Comparison, method: str) -> float | None:
    patches = found.total(method, cells.footprint_32)
    return None if patches is None else 1 + patches


def _mean_blocks(histogram: Sequence[int]) -> float:
    images = sum(histogram)
    return (
        sum(blocks * count for blocks, count in enumerate(histogram)) / images
    )


def _notes(found: Comparison) -> tuple[str, ...]:
    return (
        "float32 models in Keras, COCO's definition; seed "
        f"{cells.SEED}. The suite's own methods are those of the main "
        "experiment.",
        "Times are of trainings beside others on the same machine, not all on "
        "one day; small differences say nothing.",
        *found.notes(),
    )
