"""COMPACT's trainings and those beside it, seed by seed."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Collection, Iterable, Mapping, Sequence

from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.report.tables import cells
from object_detection_patch.decathlon.report.tables.comparison import (
    Comparison,
    compared,
)
from object_detection_patch.decathlon.running import record
from object_detection_patch.decathlon.suite.runs import (
    COMPACT,
    COMPACT_PRESET,
    MAIN,
)
from object_detection_patch.decathlon.suite.suite import FINE_TUNING, Compact

SPOTPATCH = "SPOTPATCH"
"""What COMPACT is to beat."""

EXACT, HALF, SMALLEST = "exact", "half", "compact"
"""Encodings of a file: float32, float16, and what the grid allows."""


@dataclasses.dataclass(frozen=True)
class Training:
    """What was trained, on every task alike."""

    experiment: str
    method: str
    variant: str = ""

    @property
    def name(self) -> str:
        """How it is called in a comparison."""
        return f"{self.method} {self.variant}".strip()


FINE = Training(MAIN, FINE_TUNING)
MASKS = Training(MAIN, SPOTPATCH)


def baselines(results: Results) -> tuple[Training, ...]:
    """The main experiment's patches but SPOTPATCH."""
    return tuple(
        Training(MAIN, method)
        for method in results.suite.methods
        if method not in (SPOTPATCH, FINE_TUNING)
    )


def variants(compact: Compact) -> tuple[Training, ...]:
    """COMPACT's."""
    return _compacts(compact.options)


def of_all_tasks(compact: Compact) -> tuple[Training, ...]:
    """Those of COMPACT's that every task of the suite has."""
    return _compacts(compact.on_all_tasks)


def by_seed(
    results: Results,
    compact: Compact,
    tasks: Sequence[str] | None = None,
) -> dict[int, Comparison]:
    """Seed -> every training with a result on all tasks, beside FINE_TUNING.

    FINE_TUNING is that of the same seed, where it has run, else of the first.

    Args:
      tasks: keys; None for those of all of COMPACT's trainings.
    """
    tasks = compact.tasks if tasks is None else tasks
    trainings = (MASKS, *baselines(results), *variants(compact))
    found = {}
    for seed in sorted({run.seed for run in results.runs.values()}):
        given = {FINE_TUNING: _reference(results, tasks, seed)}
        for training in trainings:
            outcomes = _outcomes(results, tasks, training, seed)
            if len(outcomes) == len(tasks):
                given[training.name] = outcomes
        if len(given) > 1 and given[FINE_TUNING]:
            found[seed] = compared(given, tasks, cells.keras)
    return found


def having(
    training: Training, found: Mapping[int, Comparison]
) -> dict[int, Comparison]:
    """The seeds that a training has a result on."""
    return {
        seed: one for seed, one in found.items() if training.name in one.methods
    }


def scores(training: Training, among: Iterable[Comparison]) -> list[float]:
    """One a seed, where there is a Score."""
    found = (one.score(training.name) for one in among)
    return [score for score in found if score is not None]


def mean_bytes(
    training: Training, encoding: str, among: Collection[Comparison]
) -> float | None:
    """Of all tasks' whole files together, over seeds."""

    def size(outcome: record.Outcome) -> float | None:
        held = outcome.file_bytes.get(encoding)
        return float(held.whole) if held else None

    found = (one.total(training.name, size) for one in among)
    return mean([total for total in found if total is not None])


def mean(values: Collection[float]) -> float | None:
    """None of nothing."""
    return statistics.fmean(values) if values else None


def _compacts(labels: Iterable[str]) -> tuple[Training, ...]:
    return tuple(Training(COMPACT, COMPACT_PRESET, label) for label in labels)


def _reference(
    results: Results, tasks: Sequence[str], seed: int
) -> Mapping[str, record.Outcome]:
    own = _outcomes(results, tasks, FINE, seed)
    if len(own) == len(tasks):
        return own
    return _outcomes(results, tasks, FINE, cells.SEED)


def _outcomes(
    results: Results, tasks: Sequence[str], training: Training, seed: int
) -> dict[str, record.Outcome]:
    return {
        task: outcome
        for task in tasks
        if (
            outcome := results.outcome(
                training.method,
                task,
                experiment=training.experiment,
                variant=training.variant,
                seed=seed,
            )
        )
    }
