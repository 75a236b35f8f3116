"""Made-up results of MOBILE_TL and what it is compared with."""

from __future__ import annotations

import dataclasses

import msgspec

from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.running import record
from object_detection_patch.decathlon.suite.suite import Families, Family
from tests.decathlon.report import family_results
from tests.decathlon.report import results as made

GIVEN = Families(
    tasks=family_results.TASKS,
    methods={"BIAS_ONLY": Family(rate=1e-2), "MOBILE_TL": Family(rate=1e-2)},
    variants={"MOBILE_TL": {"exact_3": ""}},
)
# Method and variant -> (mAP, MB, MFLOPs), alike on both tasks.
COSTS = {
    ("BIAS_ONLY", ""): (0.30, 20, 300),
    ("MOBILE_TL", ""): (0.45, 40, 100),
    ("MOBILE_TL", "exact_3"): (0.42, 50, 120),
}
_FINE_TUNING = (0.5, 100, 400)


def results(*, without: tuple[str, str] | None = None) -> Results:
    """All of `COSTS` but one, beside FINE_TUNING and SPOTPATCH."""
    runs = [
        family_results.run(method, task, _outcome(cost), variant=variant)
        for (method, variant), cost in COSTS.items()
        if (method, variant) != without
        for task in GIVEN.tasks
    ]
    runs += [
        made.run("FINE_TUNING", task, _outcome(_FINE_TUNING))
        for task in GIVEN.tasks
    ]
    found = family_results.of(runs)
    suite = msgspec.structs.replace(found.suite, families=GIVEN)
    return dataclasses.replace(found, suite=suite)


def _outcome(cost: tuple[float, int, int]) -> record.Outcome:
    accuracy, megabytes, operations = cost
    return msgspec.structs.replace(
        made.outcome(accuracy, file_bytes=1000, on_phone=False),
        training=record.TrainingCost(
            memory_bytes=megabytes * 10**6,
            kept_bytes=1,
            flops=operations * 10**6,
            parameters=7,
        ),
    )
