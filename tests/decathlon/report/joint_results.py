"""Made-up results of joint trainings on two tasks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.running import record
from object_detection_patch.decathlon.suite.runs import JOINT
from object_detection_patch.decathlon.suite.suite import Joint
from tests.decathlon.report import results as made

TASKS = ("birds", "cars")
GIVEN = Joint(
    tasks=TASKS,
    private={"none": 1e-2, "batch_norm": 2e-2, "both": 3e-2},
    rates={"both": (1e-2, 3e-2)},
    tuned_on=TASKS,
)

Values = Mapping[str, tuple[float, float]]
"""Method -> mAP in [0, 1] of both tasks."""


def run(
    method: str,
    task: str,
    outcome: record.Outcome | None,
    *,
    seed: int = 1,
    train: float = 100.0,
) -> record.RunRecord:
    """A task's part of a joint training."""
    return made.run(
        method,
        task,
        outcome,
        seed=seed,
        experiment=JOINT,
        seconds={"train": train},
    )


def jointly(values: Values, *, seed: int = 1) -> list[record.RunRecord]:
    """Runs whose patches are a tenth of a base, in files of 1000 bytes."""
    return [
        run(
            method,
            task,
            made.outcome(coco, share=0.1, file_bytes=1000, on_phone=False),
            seed=seed,
        )
        for method, both in values.items()
        for task, coco in zip(TASKS, both, strict=True)
    ]


def independently(
    both: tuple[float, float], *, seed: int = 1
) -> list[record.RunRecord]:
    """Runs of FINE_TUNING, whole bases each."""
    return [
        made.run(
            "FINE_TUNING",
            task,
            made.outcome(coco, share=1.0, on_phone=False),
            seed=seed,
            seconds={"train": 150.0},
        )
        for task, coco in zip(TASKS, both, strict=True)
    ]


def of(runs: Iterable[record.RunRecord]) -> Results:
    """These runs of a suite of three tasks."""
    suite = made.suite(3, ["FINE_TUNING", "SPOTPATCH"], sparsity=False)
    return made.of(msgspec.structs.replace(suite, joint=GIVEN), runs)
