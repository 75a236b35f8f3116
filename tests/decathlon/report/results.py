"""Made-up results of a suite: every number follows from a simple rule.

`whole(suite())` is a directory with everything done;
`of(suite(2), [run("BN_PATCH", "birds", outcome(0.5))])` one with one run.
"""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.running import record
from object_detection_patch.decathlon.suite import runs as runs_lib
from object_detection_patch.decathlon.suite.suite import Suite
from tests.decathlon.report.records import (
    BASE_PARAMETERS,
    KERNELS,
    accuracy,
    base,
    conversion,
    footprint,
    gates,
    outcome,
    run,
    sizes,
)
from tests.decathlon.report.suites import (
    DISTANCES,
    GATED,
    METHODS,
    PERCENTS,
    TASKS,
    options,
    suite,
    task,
)

__all__ = [
    "BASE_PARAMETERS",
    "DISTANCES",
    "GATED",
    "KERNELS",
    "METHODS",
    "PERCENTS",
    "TASKS",
    "accuracy",
    "base",
    "conversion",
    "footprint",
    "gates",
    "of",
    "options",
    "outcome",
    "run",
    "sizes",
    "suite",
    "task",
    "whole",
    "write",
]

_SHARES = dict(
    zip(
        METHODS,
        (1.0, 0.0385, 0.0208, 0.0376, 0.0559, 0.0332, 0.0515, 0.0208),
        strict=True,
    )
)
_MEBIBYTE = 2**20


def of(
    suite: Suite,
    runs: Iterable[record.RunRecord] = (),
    bases: Iterable[record.BaseRecord] = (),
    conversions: Mapping[str, Mapping[str, Any]] | None = None,
    folder: pathlib.Path = pathlib.Path("nowhere"),
) -> Results:
    """The given records as `collect` would return them."""
    return Results(
        folder=folder,
        suite=suite,
        runs={
            (run.experiment, run.method, run.task, run.variant, run.seed): run
            for run in runs
        },
        bases={base.key: base for base in bases},
        conversions=conversions or {},
    )


def whole(suite: Suite, seeds: int = 1) -> Results:
    """Every run of a suite done, with numbers that grow with their index."""
    records = [
        _by_rule(suite, planned)
        for seed in range(1, seeds + 1)
        for planned in runs_lib.all_runs(suite, seed)
    ]
    bases = [base(phone=suite.phone)]
    if suite.updating:
        bases += [
            base(
                given.key,
                given.task,
                percent=given.percent,
                coco=0.3 + given.percent / 1000,
                phone=suite.phone,
            )
            for given in suite.updating.bases
        ]
    keys = [suite.source.key, *(task.key for task in suite.tasks)]
    conversions = {
        key: {
            "train": conversion(key, "train", 600),
            "eval": conversion(key, "eval", 200),
        }
        for key in keys
    }
    return of(suite, records, bases, conversions)


def write(results: Results, folder: pathlib.Path) -> None:
    """The directory that `collect` reads back as these results."""
    for name in ("runs", "bases", "conversion"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    record.write_json(folder / "suite.json", results.suite)
    for done in results.runs.values():
        name = runs_lib.run_id(
            done.experiment, done.method, done.task, done.variant, done.seed
        )
        run = runs_lib.find_run(results.suite, name)
        stated = msgspec.structs.replace(
            done,
            suite=results.suite.name,
            base=run.base,
            config_sha256=runs_lib.config_sha256(results.suite, run),
            steps=run.task.schedule.steps,
            batch_size=run.task.schedule.batch_size,
            rate=run.training.rate,
        )
        record.write_json(folder / "runs" / f"{name}.json", stated)
    for key, trained in results.bases.items():
        record.write_json(folder / "bases" / f"{key}.json", trained)
    for key, splits in results.conversions.items():
        for split, content in splits.items():
            path = folder / "conversion" / f"{key}_{split}_report.json"
            path.write_text(json.dumps(content), encoding="utf-8")


def _by_rule(suite: Suite, planned: runs_lib.Run) -> record.RunRecord:
    """mAP rises with the method's index and falls with the task's distance."""
    rank = list(suite.methods).index(planned.method)
    distance = planned.task.distance or 0
    coco = 0.6 + 0.02 * (rank or 10) - 0.03 * distance + 0.001 * planned.seed
    coco -= planned.training.rate
    opened = _opened(planned) if planned.method == GATED else 0
    share = _SHARES.get(planned.method, 0.05) + 0.0005 * opened
    made = outcome(
        coco,
        coco - 0.02,
        share=share,
        opened=gates(opened) if planned.method == GATED else (),
        file_bytes=round(4e6 * share) + 100 * distance,
        float32=coco - 0.001,
        int8=coco - 0.005,
        on_phone=suite.phone,
    )
    return run(
        planned.method,
        planned.task.key,
        made,
        seed=planned.seed,
        experiment=planned.experiment,
        variant=planned.variant,
        base=planned.base,
        seconds={"train": 60.0 + rank, "evaluate": 5.0},
        peak_bytes=2**30 + rank * _MEBIBYTE,
    )


def _opened(planned: runs_lib.Run) -> int:
    """More for far tasks and small lambda_sps, fewer for well-fed bases."""
    if planned.experiment == runs_lib.UPDATING:
        return 50 - PERCENTS.index(int(planned.base.rpartition("_")[2])) * 15
    factor = {"1e-3": 2, "1e-5": 6}.get(planned.variant, 4)
    return factor * (planned.task.distance or 0)
