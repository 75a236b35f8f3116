"""Whole records of a small suite, to write, cut and change."""

from __future__ import annotations

import pathlib
from collections.abc import Iterable
from typing import Any

from object_detection_patch.decathlon.running import plan, record
from object_detection_patch.decathlon.running.folder import (
    Folder,
    open_folder,
)
from object_detection_patch.decathlon.suite import runs as runs_lib

ENVIRONMENT = record.Environment(
    python="3.11.7", tensorflow="2.20.0", processor="x", cores=2, package="1"
)


def outcome(coco: float = 0.5) -> record.Outcome:
    size = record.FileBytes(whole=1000, without_class_head=900)
    return record.Outcome(
        base_fingerprint="ab" * 32,
        accuracy=record.Accuracy(coco=coco, pascal=0.6),
        gates=(record.Gate(name="a", place="tower", open=True, weights=9),),
        footprint=record.Footprint(
            bits_32=320, bits_8=80, class_head_values=3, base_parameters=100
        ),
        file_bytes={"exact": size},
        float32=None,
        int8=record.OnPhone(
            patch_bytes=1,
            model_bytes=2,
            accuracy=record.Accuracy(coco=0.0, pascal=1.0),
        ),
    )


def run_record(
    suite: Any, run: runs_lib.Run, **changes: Any
) -> record.RunRecord:
    return record.RunRecord(
        **{
            "schema": record.SCHEMA,
            "suite": suite.name,
            "experiment": run.experiment,
            "method": run.method,
            "task": run.task.key,
            "seed": run.seed,
            "base": run.base,
            "variant": run.variant,
            "config_sha256": runs_lib.config_sha256(suite, run),
            "steps": run.task.schedule.steps,
            "batch_size": run.task.schedule.batch_size,
            "rate": run.training.rate,
            "outcome": outcome(),
            "error": None,
            "seconds": {"train": 1.5},
            "peak_bytes": 5,
            "environment": ENVIRONMENT,
            "started": "2026-01-01T00:00:00+00:00",
            **changes,
        }
    )


def base_record(suite: Any, key: str, **changes: Any) -> record.BaseRecord:
    return record.BaseRecord(
        **{
            "schema": record.SCHEMA,
            "suite": suite.name,
            "key": key,
            "task": "source",
            "percent": 100,
            "config_sha256": runs_lib.base_sha256(suite, key),
            "fingerprint": "ab" * 32,
            "parameters": 100,
            "accuracy": record.Accuracy(coco=0.5, pascal=0.5),
            "model_bytes": {},
            "phone": {},
            "seconds": {},
            "environment": ENVIRONMENT,
            "started": "2026-01-01T00:00:00+00:00",
            **changes,
        }
    )


def prepared_folder(
    root: pathlib.Path, suite: Any, runs: Iterable[runs_lib.Run]
) -> Folder:
    """A directory whose data and base are there, as far as names go."""
    found = open_folder(root)
    plan.settle_suite(found, suite)
    found.data.mkdir(parents=True)
    for run in runs:
        for name in ("train_records", "eval_records", "label_map"):
            (found.data / getattr(run.task, name)).write_bytes(b"x")
    record.write_json(found.base_record("source"), base_record(suite, "source"))
    found.checkpoint("source").mkdir(parents=True)
    return found
