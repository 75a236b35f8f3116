"""The report's last part: what the phone gets, what it costs, what it sees."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from object_detection_patch import pictures
from object_detection_patch.demo import drawn
from object_detection_patch.demo.plan import BASE, SOURCE, Job, Plan

_DRAWN_METHOD = "SPOTPATCH"
_HEADER = (
    f"{'task':<9}{'method':<13}{'patch bytes':>12}{'of model':>10}"
    f"{'apply ms':>10}{'run ms':>8}{'mAP Keras':>11}{'LiteRT':>8}"
    f"{'verified':>10}"
)
_NOTES = """\
of model: bytes of the patch in those of task.tflite; apply: the call in a \
warm process;
run: one image in LiteRT, one thread; verified: task.tflite has the SHA-256 \
that the patch states.
LiteRT's mAP is lower without any patch too: exported models end in the OD \
API's fast NMS (one class an anchor, 10 detections)."""


def numbers(plan: Plan) -> dict[str, Any]:
    """What the phone measured; the times, which vary, under one key."""
    base = _read(plan.base_job())
    tasks: dict[str, Any] = {}
    times: dict[str, Any] = {}
    for job in plan.phone_jobs():
        found = _read(job)
        tasks.setdefault(job.task, {})[job.method] = found["numbers"]
        times.setdefault(job.task, {})[job.method] = found["milliseconds"]
    return {
        "base": base["numbers"],
        "tasks": tasks,
        "milliseconds": {"base": base["milliseconds"], "tasks": times},
    }


def table(
    phone: dict[str, Any], base: dict[str, Any], results: dict[str, Any]
) -> str:
    """The phone's table as text.

    Args:
      phone: of `numbers`.
      base, results: what the jobs measured on the Keras models; results by
        task and method.
    """
    times = phone["milliseconds"]
    rows = [_base_row(phone["base"], times["base"], base)]
    for task, by_method in phone["tasks"].items():
        for method, shipped in by_method.items():
            taken = times["tasks"][task][method]
            keras = results[task][method]
            rows.append(_row(task, method, shipped, taken, keras))
    title = (
        f"On the phone: base.tflite, {phone['base']['model_bytes']:,} bytes "
        f"(float32), and base.odpatch, {phone['base']['sidecar_bytes']:,}, "
        "once; then a patch per task"
    )
    return "\n".join([title, "", _HEADER, "-" * len(_HEADER), *rows, _NOTES])


def _base_row(
    shipped: dict[str, Any], times: dict[str, float], keras: dict[str, Any]
) -> str:
    return (
        f"{SOURCE:<9}{BASE:<13}{'-':>12}{'-':>10}{'-':>10}"
        f"{times['inference']:>8.2f}{keras['map']['coco']:>11.3f}"
        f"{shipped['map']:>8.3f}{'-':>10}"
    )


def _row(
    task: str,
    method: str,
    shipped: dict[str, Any],
    times: dict[str, float],
    keras: dict[str, Any],
) -> str:
    return (
        f"{task:<9}{method:<13}{shipped['patch_bytes']:>12,}"
        f"{shipped['fraction']:>10.2%}{times['apply']:>10.1f}"
        f"{times['inference']:>8.2f}{keras['map']['coco']:>11.3f}"
        f"{shipped['map']:>8.3f}{'yes' if shipped['verified'] else 'NO':>10}"
    )


def picture(plan: Plan) -> np.ndarray:
    """What base.tflite and each task.tflite find in images of their own."""
    jobs = [job for job in plan.phone_jobs() if job.method == _DRAWN_METHOD]
    columns = {
        "base.tflite": drawn.draw(plan.base_job().phone_drawn),
        **{_title(job): drawn.draw(job.phone_drawn) for job in jobs},
    }
    count = min(map(len, columns.values()))
    return pictures.side_by_side(
        [[images[row] for images in columns.values()] for row in range(count)],
        list(columns),
        [f"image {row + 1}" for row in range(count)],
    )


def _title(job: Job) -> str:
    size = _read(job)["numbers"]["patch_bytes"]
    return f"task.tflite: {job.task}\nbase + {size:,} bytes"


def _read(job: Job) -> dict[str, Any]:
    with open(job.phone_result, encoding="utf-8") as file:
        return json.load(file)
