"""Made-up results of adapters and routing on two tasks."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.running import record
from object_detection_patch.decathlon.suite.runs import FAMILIES
from object_detection_patch.decathlon.suite.suite import (
    Families,
    Family,
    Suite,
)
from tests.decathlon.report import results as made

TASKS = ("birds", "cars")
GIVEN = Families(
    tasks=TASKS,
    methods={
        "PARALLEL_ADAPTERS": Family(rate=1e-2),
        "SERIES_ADAPTERS": Family(rate=1e-2),
        "SPOTTUNE": Family(rate=1e-2),
        "ROUTED_SPOTPATCH": Family(rate=1e-2),
    },
    rates={"SPOTTUNE": (1e-2, 3e-2)},
    tuned_on=("cars",),
)


def suite(families: Families | None = GIVEN) -> Suite:
    """Three tasks, of which the third is not the families'."""
    found = made.suite(3, ["FINE_TUNING", "SPOTPATCH"], sparsity=False)
    return msgspec.structs.replace(found, families=families)


def run(
    method: str,
    task: str,
    outcome: record.Outcome | None,
    *,
    variant: str = "",
    train: float = 60.0,
) -> record.RunRecord:
    """One of the families' runs."""
    return made.run(
        method,
        task,
        outcome,
        experiment=FAMILIES,
        variant=variant,
        seconds={"train": train},
    )


def routed(
    coco: float,
    shares: Iterable[float],
    histogram: Iterable[int],
    always_tuned: float | None = None,
    share: float = 1.0,
) -> record.Outcome:
    """What a run gave whose images choose blocks."""
    tuned = None if always_tuned is None else made.accuracy(always_tuned)
    return msgspec.structs.replace(
        made.outcome(coco, share=share, on_phone=False),
        routing=record.Routing(
            blocks=tuple(
                record.BlockShare(name=f"block_{number}", share=one)
                for number, one in enumerate(shares)
            ),
            histogram=tuple(histogram),
            always_tuned=tuned,
        ),
    )


def of(runs: Iterable[record.RunRecord]) -> Results:
    """These runs beside two of the main experiment on each task."""
    main = [
        made.run(
            method, task, made.outcome(value, share=size, file_bytes=size_bytes)
        )
        for method, value, size, size_bytes in (
            ("FINE_TUNING", 0.5, 1.0, 4_000_000),
            ("SPOTPATCH", 0.4, 0.03, 100_000),
        )
        for task in made.TASKS[:3]
    ]
    return made.of(suite(), [*main, *runs])
