"""Made-up suites."""

from __future__ import annotations

from collections.abc import Sequence

from object_detection_patch.decathlon.suite.suite import (
    Base,
    Drawn,
    Method,
    Schedule,
    Sparsity,
    Suite,
    SuiteTask,
    Tuning,
    Updating,
)

TASKS = (
    *("birds", "cars", "coco", "dogs", "face"),
    *("kitti", "pet", "rpc", "voc"),
)
DISTANCES = (4, 5, 2, 3, 6, 8, 3, 7, 1)
METHODS = (
    *("FINE_TUNING", "TOWER_PATCH", "BN_PATCH", "DW_PATCH"),
    *("BN_DW_PATCH", "PIGGYBACK", "WEIGHTTRANS", "SPOTPATCH"),
)
PERCENTS = (10, 20, 40, 80)
GATED = "SPOTPATCH"
_SCHEDULE = Schedule(steps=300, batch_size=16)


def suite(
    tasks: int = len(TASKS),
    methods: Sequence[str] = METHODS,
    *,
    distances: Sequence[int | None] = DISTANCES,
    updating: bool = True,
    sparsity: bool = True,
    tuning: bool = True,
    phone: bool = True,
    settings: Sequence[str] = ("Images are drawn.",),
) -> Suite:
    """A suite of the first so many tasks, one task of images as a source."""
    updated = TASKS[min(2, tasks - 1)]
    base = Base(key="base", task="oid", schedule=_SCHEDULE, rate=1e-3)
    bases = tuple(
        Base(
            key=f"{updated}_{percent}",
            task=updated,
            schedule=_SCHEDULE,
            rate=1e-3,
            percent=percent,
        )
        for percent in PERCENTS
    )
    return Suite(
        name="mini",
        architecture="mini_96",
        source=task("oid", None),
        tasks=tuple(map(task, TASKS[:tasks], distances)),
        base=base,
        methods={
            name: Method(rate=1e-3, options=options(1e-4, name))
            for name in methods
        },
        drawn=Drawn(side=96, seed=7),
        updating=Updating(task=updated, bases=bases) if updating else None,
        sparsity=Sparsity(
            method=GATED,
            options={
                label: options(float(label), GATED)
                for label in ("1e-3", "1e-4", "1e-5")
            },
        )
        if sparsity and GATED in methods
        else None,
        tuning=_tuning(methods) if tuning else None,
        phone=phone,
        settings=tuple(settings),
    )


def _tuning(methods: Sequence[str]) -> Tuning:
    return Tuning(
        tasks=TASKS[:2],
        percent=20,
        rates=dict.fromkeys(methods, (1e-3, 1e-2)),
    )


def options(lambda_sps: float, method: str = GATED) -> str:
    """Text proto of a method's options."""
    if method != GATED:
        return ""
    return f"part {{ binary_mask {{ lambda_sps: {lambda_sps} }} }}"


def task(key: str, distance: int | None = None) -> SuiteTask:
    """A task of 600 images for training and 200 for evaluation."""
    return SuiteTask(
        key=key,
        name=f"The {key} data set",
        train_records=f"{key}_train.record-*",
        eval_records=f"{key}_eval.record-*",
        label_map=f"{key}_label_map.pbtxt",
        train_images=600,
        eval_images=200,
        schedule=_SCHEDULE,
        distance=distance,
    )
