"""mAP beside memory and operations of a training (MobileTL, Table 3)."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from object_detection_patch.decathlon.report import family_papers
from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.report.contents import Column, Table
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
from object_detection_patch.decathlon.running.record import TrainingCost
from object_detection_patch.decathlon.suite.runs import FAMILIES, MAIN
from object_detection_patch.decathlon.suite.suite import FINE_TUNING, Families

MOBILE_TL = "MOBILE_TL"
_BESIDE = ("FEATURE_EXTRACTOR", "BIAS_ONLY")
_OF_MAIN = ("BN_PATCH", FINE_TUNING)
_TABLE_3: Final = "mobile_tl_table3"
_TABLE_5: Final = "mobile_tl_table5"
_MILLION = 1e6


@dataclasses.dataclass(frozen=True)
class Row:
    """A way to train, on all tasks.

    Args:
      name: preset, with the label of its variant.
      accuracy: mean mAP in percent.
      memory, operations: MB and MFLOPs of a step, mean over tasks.
      parameters: that train, mean over tasks.
      is_best: no other row has as much mAP in as little memory.
    """

    name: str
    method: str
    accuracy: float
    memory: float
    operations: float
    parameters: float
    is_best: bool


def rows(found: Comparison) -> tuple[Row, ...]:
    """In order of memory; empty unless MOBILE_TL has run on all tasks."""
    known = [
        _row(found, name)
        for name in found.methods
        if len(_costs(found, name)) == len(found.tasks)
    ]
    if MOBILE_TL not in {row.name for row in known}:
        return ()
    known.sort(key=lambda row: (row.memory, -row.accuracy))
    return tuple(
        dataclasses.replace(row, is_best=_is_best(row, known[:position]))
        for position, row in enumerate(known)
    )


def comparison(results: Results, families: Families) -> Comparison:
    """MOBILE_TL, its variants, and what it is compared with."""
    known = {name: (MAIN, name, "") for name in _OF_MAIN}
    known |= {name: (FAMILIES, name, "") for name in (*_BESIDE, MOBILE_TL)}
    for label in families.variants.get(MOBILE_TL, {}):
        known[f"{MOBILE_TL}, {label}"] = FAMILIES, MOBILE_TL, label
    found = {
        name: family_rows.outcomes(results, families, *key)
        for name, key in known.items()
    }
    given = {
        name: row
        for name, row in found.items()
        if len(row) == len(families.tasks)
    }
    return compared(given, families.tasks, cells.keras)


def table(results: Results, families: Families) -> Table | None:
    """mAP, memory and operations of a step, beside the paper's."""
    found = comparison(results, families)
    given = rows(found)
    if not given:
        return None
    usual = next((row for row in given if row.name == FINE_TUNING), None)
    drawn = tuple(
        (
            row.name,
            row.accuracy,
            found.score(row.name),
            "yes" if row.is_best else "",
            row.memory,
            ratio(row.memory, usual.memory if usual else None),
            _over_all(row.name, "memory"),
            row.operations,
            ratio(row.operations, usual.operations if usual else None),
            _over_all(row.name, "operations"),
            round(row.parameters),
            found.total(row.name, costing.small_files().whole),
            family_papers.figure(_TABLE_5, row.name, "CIFAR10"),
        )
        for row in given
    )
    return Table(
        "mobile_tl",
        "Training that fits a phone, beside MobileTL, Tables 3 and 5",
        (
            Column("Training"),
            Column("Average mAP", "1", "mAP@0.5 in percent."),
            Column("Score", "integer", "Over these tasks alone."),
            Column("Best", "text", "None has this mAP in less memory."),
            Column("Memory, MB", "1", "10^6 bytes of one step."),
            Column(f"over {FINE_TUNING}", "3"),
            Column("paper", "3", "Table 3."),
            Column("MFLOPs", "integer", "Of one step, forward and backward."),
            Column(f"over {FINE_TUNING}", "3"),
            Column("paper", "3", "Table 3."),
            Column("Trained", "integer", "Values that train, heads too."),
            Column("Files", "bytes", "All patches, encoded small, with heads."),
            Column("paper's CIFAR10", "1", "Table 5, top-1 accuracy."),
        ),
        drawn,
        _notes(results, families, found),
        best(drawn, {1: "highest", 4: "lowest", 7: "lowest"}),
    )


def _row(found: Comparison, name: str) -> Row:
    costs = _costs(found, name)

    def mean(field: Callable[[TrainingCost], int]) -> float:
        return statistics.fmean(map(field, costs.values()))

    return Row(
        name=name,
        method=name.split(",")[0],
        accuracy=100 * statistics.fmean(found.accuracy[name].values()),
        memory=mean(lambda cost: cost.memory_bytes) / _MILLION,
        operations=mean(lambda cost: cost.flops) / _MILLION,
        parameters=mean(lambda cost: cost.parameters),
        is_best=False,
    )


def _costs(found: Comparison, name: str) -> Mapping[str, TrainingCost]:
    return {
        task: outcome.training
        for task, outcome in found.outcomes[name].items()
        if outcome.training
    }


def _is_best(row: Row, cheaper: Sequence[Row]) -> bool:
    return all(row.accuracy > other.accuracy for other in cheaper)


def _over_all(name: str, column: str) -> float | None:
    return ratio(
        family_papers.figure(_TABLE_3, name, column),
        family_papers.figure(_TABLE_3, FINE_TUNING, column),
    )


def _notes(
    results: Results, families: Families, found: Comparison
) -> tuple[str, ...]:
    batches = {
        task.schedule.batch_size
        for task in results.suite.tasks
        if task.key in families.tasks
    }
    return (
        f"{MOBILE_TL} trains the top three blocks, `blocks_1` and `blocks_6` "
        "as many as they say; `exact_` are the same blocks fine-tuned as they "
        "are, the paper's FT-BLKs. FPN, tower and heads of the detector train "
        "beside them. BIAS_ONLY is the paper's FT-Bias, but for biases that "
        "are no BatchNorm's.",
        "Memory and operations are counted by `od-patch profile`, as in the "
        "paper: not what TensorFlow holds (benchmarks/README.md).",
        "Not the same thing measured: the paper classifies photographs of "
        "224 px in batches of 8 with Proxyless Mobile, which has no FPN; ours "
        f"detect, in batches of {', '.join(map(str, sorted(batches)))}. Its "
        "MobileTL of three blocks takes 0.833 of the memory of the same "
        "blocks as they are, by its text.",
        *found.notes(),
    )
