"""Methods side by side, on the tasks that all of them have."""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Callable, Collection, Mapping, Sequence

from object_detection_patch.decathlon.report import paper
from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.report.tables import order
from object_detection_patch.decathlon.report.tables.cells import SEED, Value
from object_detection_patch.decathlon.running import record
from object_detection_patch.decathlon.score import decathlon_score
from object_detection_patch.decathlon.suite.suite import FINE_TUNING

Size = Callable[[record.Outcome], float | None]


@dataclasses.dataclass(frozen=True)
class Comparison:
    """One accuracy of every method with a result, by task.

    Args:
      accuracy: method -> task -> mAP in [0, 1]; no method is empty.
      outcomes: the same keys -> where the accuracy is from.
      tasks: keys that every method has, in the suite's order: averages, sums
        and Scores are over these.
      left_out: the suite's other tasks.
    """

    accuracy: Mapping[str, Mapping[str, float]]
    outcomes: Mapping[str, Mapping[str, record.Outcome]]
    tasks: tuple[str, ...]
    left_out: tuple[str, ...]

    @property
    def on_papers_tasks(self) -> bool:
        """Whether totals are over the paper's nine tasks, and no others."""
        theirs = {task.casefold() for task in paper.tasks()}
        return set(self.tasks) == theirs

    @property
    def methods(self) -> tuple[str, ...]:
        """In the suite's order."""
        return tuple(self.accuracy)

    @property
    def patches(self) -> tuple[str, ...]:
        """The methods but FINE_TUNING."""
        return tuple(name for name in self.methods if name != FINE_TUNING)

    @property
    def scored(self) -> tuple[str, ...]:
        """Tasks of a Score: where fine-tuning is perfect, none is defined."""
        fine_tuning = self.accuracy.get(FINE_TUNING, {})
        return tuple(
            task for task in self.tasks if fine_tuning.get(task, 1.0) < 1.0
        )

    def average(self, method: str) -> float | None:
        """Mean mAP in [0, 1]; None if nothing is compared."""
        if method not in self.accuracy or not self.tasks:
            return None
        return statistics.fmean(self.accuracy[method][t] for t in self.tasks)

    def score(self, method: str) -> float | None:
        """The decathlon Score; None without FINE_TUNING."""
        if method not in self.accuracy or not self.scored:
            return None
        own, fine_tuning = (
            {task: self.accuracy[name][task] for task in self.scored}
            for name in (method, FINE_TUNING)
        )
        return decathlon_score(own, fine_tuning)

    def total(self, method: str, size: Size) -> float | None:
        """Sum of a size over the compared tasks; None if one is unknown."""
        if method not in self.outcomes or not self.tasks:
            return None
        sizes = [size(self.outcomes[method][task]) for task in self.tasks]
        known = [one for one in sizes if one is not None]
        return math.fsum(known) if len(known) == len(sizes) else None

    def notes(self) -> tuple[str, ...]:
        """What is not compared, and why."""
        if not self.accuracy:
            return ("Nothing has run yet.",)
        notes = []
        if self.left_out:
            notes.append(
                "Averages, sums and Scores are over the tasks that every "
                "method with a result has: "
                f"{', '.join(self.tasks) or 'none'}. Left out: "
                f"{', '.join(self.left_out)}."
            )
        if FINE_TUNING not in self.accuracy:
            notes.append(
                f"There is no Score: it is relative to {FINE_TUNING}, which "
                "has no result."
            )
        elif perfect := [t for t in self.tasks if t not in self.scored]:
            notes.append(
                f"Scores leave out {', '.join(perfect)}: a perfect "
                f"{FINE_TUNING} leaves no room to score."
            )
        return tuple(notes)


def compare(
    results: Results,
    accuracy: Value,
    *,
    seed: int = SEED,
    tasks: Collection[str] | None = None,
) -> Comparison:
    """The main experiment by one accuracy.

    Args:
      accuracy: of an outcome, in [0, 1]; None if it was not measured.
      tasks: keys of those to compare on; None for all of the suite.
    """
    keys = [
        task.key
        for task in results.suite.tasks
        if tasks is None or task.key in tasks
    ]
    return compared(
        {
            method: {
                task: outcome
                for task in keys
                if (outcome := results.outcome(method, task, seed=seed))
            }
            for method in order.methods(results)
        },
        keys,
        accuracy,
    )


def compared(
    given: Mapping[str, Mapping[str, record.Outcome]],
    keys: Sequence[str],
    accuracy: Value,
) -> Comparison:
    """Outcomes by one accuracy.

    Args:
      given: method -> task -> outcome.
      keys: the tasks, in order.
      accuracy: of an outcome, in [0, 1]; None if it was not measured.
    """
    outcomes: dict[str, dict[str, record.Outcome]] = {}
    values: dict[str, dict[str, float]] = {}
    for method, by_task in given.items():
        for task, outcome in by_task.items():
            value = accuracy(outcome)
            if value is not None:
                outcomes.setdefault(method, {})[task] = outcome
                values.setdefault(method, {})[task] = value
    shared = [k for k in keys if all(k in found for found in values.values())]
    tasks = tuple(shared) if values else ()
    left_out = tuple(key for key in keys if key not in tasks)
    return Comparison(values, outcomes, tasks, left_out)


def ratio(numerator: float | None, denominator: float | None) -> float | None:
    """A quotient; None where it has no meaning."""
    if numerator is None or denominator is None or denominator <= 0:
        return None
    return numerator / denominator


def less(first: float | None, second: float | None) -> float | None:
    """A difference; None where one of them is not known."""
    return None if first is None or second is None else first - second
