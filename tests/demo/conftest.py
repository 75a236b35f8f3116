"""Results of a demo written by hand."""

from __future__ import annotations

import json
import os
import pathlib

import numpy as np
import pytest

from object_detection_patch.demo import runner
from object_detection_patch.demo.plan import TARGETS, Plan, Scale

_GATES = [
    {
        "name": "backbone/a/kernel",
        "place": "backbone",
        "open": True,
        "weights": 9,
    },
    {"name": "tower/b/kernel", "place": "tower", "open": False, "weights": 90},
]
_DRAWN = {
    "label_names": np.array(["round"]),
    "image_0": np.full((32, 32, 3), 200, np.uint8),
    "boxes_0": np.array([[0.1, 0.1, 0.9, 0.9]], np.float32),
    "scores_0": np.array([0.9], np.float32),
    "classes_0": np.array([1]),
}


@pytest.fixture
def finished(tmp_path: pathlib.Path) -> Plan:
    """A demo whose processes have written their results."""
    plan = Plan(str(tmp_path), seed=1, scale=Scale())
    base = plan.base_job()
    os.makedirs(base.directory)
    _write(
        base.result, {"method": "BASE", "map": {"coco": 0.5, "pascal": 0.51}}
    )
    for task in TARGETS:
        np.savez(runner.drawn_path(base, task), **_DRAWN)
    for job in plan.task_jobs():
        os.makedirs(job.directory)
        np.savez(runner.drawn_path(job), **_DRAWN)
        size = {"FINE_TUNING": 1000, "COMPACT": 30}.get(job.method, 50)
        pathlib.Path(job.patch).write_bytes(b"x" * size)
        accuracy = 0.75 if job.method == "COMPACT" else 0.8
        result = {
            "method": job.method,
            "map": {"coco": accuracy, "pascal": 0.79},
            "file_bytes": size,
            "model_bytes": 1250,
            "nominal_fraction": 0.0514,
            "largest_output_difference": 2e-7,
            "gates": _GATES if job.method == "SPOTPATCH" else [],
        }
        _write(job.result, result)
    _write_phone(plan)
    return plan


def _write_phone(plan: Plan) -> None:
    base = plan.base_job()
    np.savez(base.phone_drawn, **_DRAWN)
    numbers = {"model_bytes": 5000, "sidecar_bytes": 700, "map": 0.4}
    times = {"inference": 0.75}
    _write(base.phone_result, {"numbers": numbers, "milliseconds": times})
    for job in plan.phone_jobs():
        np.savez(job.phone_drawn, **_DRAWN)
        numbers = {
            "patch_bytes": 30,
            "fraction": 0.006,
            "verified": job.task == TARGETS[0],
            "map": 0.7,
        }
        times = {"inference": 0.5, "apply": 20.04}
        _write(job.phone_result, {"numbers": numbers, "milliseconds": times})


def _write(path: str, result: object) -> None:
    pathlib.Path(path).write_text(json.dumps(result))
