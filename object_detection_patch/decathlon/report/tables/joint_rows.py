"""What joint trainings gave, beside independent ones."""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Callable, Mapping, Sequence

from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.running import record
from object_detection_patch.decathlon.suite import runs as runs_lib
from object_detection_patch.decathlon.suite.suite import (
    FINE_TUNING,
    Joint,
    Private,
)

_BITS = 32

# What each task has to itself, and the preset that trains as much.
_KINDS: Mapping[Private, tuple[str, str]] = {
    "none": ("heads", "FEATURE_EXTRACTOR"),
    "batch_norm": ("heads and BatchNorms", "BN_PATCH"),
    "depthwise": ("heads and depthwise kernels", "DW_PATCH"),
    "both": ("heads and both", "BN_DW_PATCH"),
}
SHARED = runs_lib.joint_method("none")
SCALES = runs_lib.joint_method("batch_norm")
"""Sharing everything but heads, and the paper's S/B patches."""


@dataclasses.dataclass(frozen=True)
class Trained:
    """All tasks, trained with one seed.

    Args:
      outcomes: task -> what its run gave.
      seconds: of the trainings together; None where one was not told.
    """

    outcomes: Mapping[str, record.Outcome]
    seconds: float | None


@dataclasses.dataclass(frozen=True)
class Row:
    """One way to have several tasks.

    Args:
      own: what each task has to itself, in words.
      preset: row of the paper's figures.
      rate: Adam's peak learning rate.
      by_seed: those seeds of which all tasks have a result.
    """

    method: str
    experiment: str
    own: str
    preset: str
    rate: float
    by_seed: Mapping[int, Trained]

    @property
    def has_base(self) -> bool:
        """Whether the tasks need a new base, which they share."""
        return self.experiment == runs_lib.JOINT


@dataclasses.dataclass(frozen=True)
class JointRows:
    """Rows to be laid side by side, sharing everything first.

    Args:
      tasks: keys, in the suite's order.
      seeds: that every row with a result has; means are over these.
    """

    rows: tuple[Row, ...]
    tasks: tuple[str, ...]
    seeds: tuple[int, ...]

    def accuracy(self, row: Row, task: str) -> float | None:
        """Mean mAP in percent over seeds; None without a result."""
        return self._mean(row, lambda one: _percent(one.outcomes[task]))

    def averages(self, row: Row) -> list[float]:
        """Seed by seed, the mean mAP of all tasks in percent."""
        return [_average(row.by_seed[seed]) for seed in self._seeds(row)]

    def average(self, method: str) -> float | None:
        """Their mean."""
        return self._mean(self._row(method), _average)

    def parameters(self, method: str) -> float | None:
        """Numbers of all tasks together: a new base and patches, or models.

        A base counts without its own class head's last layer.
        """
        row = self._row(method)
        shared = row is not None and row.has_base
        return self._mean(row, lambda one: _parameters(one, shared=shared))

    def patch_bytes(self, row: Row) -> float | None:
        """Files of all tasks' patches, encoded small, without the base."""
        return self._mean(row, _patch_bytes)

    def seconds(self, row: Row) -> float | None:
        """Of the trainings of all tasks, where they were told."""
        told = [row.by_seed[seed].seconds for seed in self._seeds(row)]
        known = [one for one in told if one is not None]
        return statistics.fmean(known) if known else None

    def _mean(
        self, row: Row | None, value: Callable[[Trained], float]
    ) -> float | None:
        if row is None or not self._seeds(row):
            return None
        return statistics.fmean(
            value(row.by_seed[seed]) for seed in self._seeds(row)
        )

    def _row(self, method: str) -> Row | None:
        return next((row for row in self.rows if row.method == method), None)

    def _seeds(self, row: Row) -> list[int]:
        return [seed for seed in self.seeds if seed in row.by_seed]


def rows(results: Results, joint: Joint) -> JointRows:
    """The suite's joint trainings, then independent models."""
    tasks = [t.key for t in results.suite.tasks if t.key in joint.tasks]
    found = [
        Row(
            method := runs_lib.joint_method(private),
            runs_lib.JOINT,
            own,
            preset,
            joint.private[private],
            _by_seed(results, tasks, runs_lib.JOINT, method),
        )
        for private, (own, preset) in _KINDS.items()
        if private in joint.private
    ]
    alone = results.suite.methods.get(FINE_TUNING)
    if alone is not None:
        found.append(
            Row(
                FINE_TUNING,
                runs_lib.MAIN,
                "everything: independent models",
                FINE_TUNING,
                alone.rate,
                _by_seed(results, tasks, runs_lib.MAIN, FINE_TUNING),
            )
        )
    having = [set(row.by_seed) for row in found if row.by_seed]
    seeds = set.intersection(*having) if having else set()
    return JointRows(tuple(found), tuple(tasks), tuple(sorted(seeds)))


def _by_seed(
    results: Results, tasks: Sequence[str], experiment: str, method: str
) -> dict[int, Trained]:
    seeds = sorted({run.seed for run in results.runs.values()})
    found = {}
    for seed in seeds:
        keys = [(experiment, method, task, "", seed) for task in tasks]
        runs = [run for key in keys if (run := results.runs.get(key))]
        outcomes = {run.task: run.outcome for run in runs if run.outcome}
        if len(outcomes) == len(tasks):
            found[seed] = Trained(outcomes, _seconds(runs))
    return found


def _seconds(runs: Sequence[record.RunRecord]) -> float | None:
    if not all("train" in run.seconds for run in runs):
        return None
    return math.fsum(run.seconds["train"] for run in runs)


def _percent(outcome: record.Outcome) -> float:
    return 100 * outcome.accuracy.coco


def _average(trained: Trained) -> float:
    return statistics.fmean(map(_percent, trained.outcomes.values()))


def _parameters(trained: Trained, *, shared: bool) -> float:
    sizes = [outcome.footprint for outcome in trained.outcomes.values()]
    patches = math.fsum(
        size.bits_32 / _BITS + size.class_head_values for size in sizes
    )
    if not shared:
        return patches
    # The new base has what the first task keeps to itself.
    first = sizes[0]
    return patches + first.base_parameters - first.bits_32 / _BITS


def _patch_bytes(trained: Trained) -> float:
    return math.fsum(
        outcome.file_bytes["small"].whole
        for outcome in trained.outcomes.values()
    )
