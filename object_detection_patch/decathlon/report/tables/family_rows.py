"""Outcomes of the further families, beside those of the suite's own methods."""

from __future__ import annotations

import statistics
from collections.abc import Mapping

import msgspec

from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.report.tables import order
from object_detection_patch.decathlon.report.tables.cells import SEED
from object_detection_patch.decathlon.running import record
from object_detection_patch.decathlon.suite.runs import (
    FAMILIES,
    JOINT_SVD,
    MAIN,
    SVD,
)
from object_detection_patch.decathlon.suite.suite import Families

PARALLEL, SERIES = "PARALLEL_ADAPTERS", "SERIES_ADAPTERS"
SPOTTUNE, ROUTED = "SPOTTUNE", "ROUTED_SPOTPATCH"
COMPRESSED = f"{PARALLEL}, SVD"
COMPRESSED_JOINTLY = f"{PARALLEL}, joint SVD"
ALWAYS_TUNED = f"{SPOTTUNE}, always tuned"

Rows = Mapping[str, Mapping[str, record.Outcome]]
"""Method, or a variant of one -> task -> what the run gave."""


def rows(results: Results, families: Families) -> Rows:
    """What has run on the families' tasks; no row is empty."""
    known = {
        **{m: (MAIN, m, "") for m in order.methods(results)},
        **{m: (FAMILIES, m, "") for m in families.methods},
        COMPRESSED: (FAMILIES, PARALLEL, SVD),
        COMPRESSED_JOINTLY: (FAMILIES, PARALLEL, JOINT_SVD),
    }
    found = {
        name: outcomes(results, families, *key) for name, key in known.items()
    }
    found[ALWAYS_TUNED] = _always_tuned(found.get(SPOTTUNE, {}))
    return {name: row for name, row in found.items() if row}


def training_seconds(
    results: Results, families: Families, method: str
) -> float | None:
    """Median of a method's trainings on these tasks."""
    spent = [
        run.seconds["train"]
        for run in results.runs.values()
        if run.experiment in (MAIN, FAMILIES)
        and (run.method, run.variant) == (method, "")
        and run.task in families.tasks
        and run.outcome
        and "train" in run.seconds
    ]
    return statistics.median(spent) if spent else None


def outcomes(
    results: Results,
    families: Families,
    experiment: str,
    method: str,
    variant: str,
) -> dict[str, record.Outcome]:
    """Task -> what a run gave, of those tasks that have run."""
    return {
        task: outcome
        for task in families.tasks
        if (
            outcome := results.outcome(
                method,
                task,
                experiment=experiment,
                variant=variant,
                seed=SEED,
            )
        )
    }


def _always_tuned(
    routed: Mapping[str, record.Outcome],
) -> dict[str, record.Outcome]:
    """The same patches with every image through every tuned block."""
    return {
        task: msgspec.structs.replace(
            outcome, accuracy=outcome.routing.always_tuned
        )
        for task, outcome in routed.items()
        if outcome.routing and outcome.routing.always_tuned
    }
