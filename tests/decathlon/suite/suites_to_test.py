"""A small suite for tests: two tasks, two methods, nothing to train long."""

from __future__ import annotations

from typing import Any

from object_detection_patch.decathlon.suite.suite import (
    Base,
    Method,
    Schedule,
    Sparsity,
    Suite,
    SuiteTask,
    Tuning,
    Updating,
)

SCHEDULE = Schedule(steps=4, batch_size=2)
USUAL = "  part { binary_mask { lambda_sps: 3e-3 } }\n"
OTHER = "  part { binary_mask { lambda_sps: 3e-2 } }\n"


def task(key: str, **changes: Any) -> SuiteTask:
    return SuiteTask(
        **{
            "key": key,
            "name": key.capitalize(),
            "train_records": f"{key}_train.record",
            "eval_records": f"{key}_eval.record",
            "label_map": f"{key}.pbtxt",
            "train_images": 8,
            "eval_images": 4,
            "schedule": SCHEDULE,
            **changes,
        }
    )


def base(key: str, of: str, percent: int = 100) -> Base:
    return Base(key=key, task=of, schedule=SCHEDULE, rate=1e-2, percent=percent)


def suite(**changes: Any) -> Suite:
    return Suite(
        **{
            "name": "small",
            "architecture": "mini_96",
            "source": task("source"),
            "tasks": (task("birds"), task("coco")),
            "base": base("source", "source"),
            "methods": {
                "FINE_TUNING": Method(rate=1e-3),
                "SPOTPATCH": Method(rate=1e-2, options=USUAL),
            },
            "updating": Updating(
                task="coco", bases=(base("coco_10", "coco", 10),)
            ),
            "sparsity": Sparsity(
                method="SPOTPATCH", options={"a": USUAL, "b": OTHER}
            ),
            "tuning": Tuning(
                tasks=("birds",),
                percent=25,
                rates={"SPOTPATCH": (1e-3, 1e-2)},
            ),
            "quick": (("birds",), ("SPOTPATCH",)),
            "phone": False,
            **changes,
        }
    )
