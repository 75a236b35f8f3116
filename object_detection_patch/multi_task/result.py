"""What a joint training leaves: one new base, and a patch for each task.

The base is ordinary: the shared tensors, and for the rest those of the first
task. So it detects that task's classes, and anything can be made of it that
can be made of a base. The patch of each task is relative to it.
"""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np

from object_detection_patch.checkpoints import ordinary
from object_detection_patch.multi_task.joint import Joint
from object_detection_patch.multi_task.task_trainer import TaskTrainer
from object_detection_patch.od_api import (
    base_model,
    host_layers,
    label_map,
    pipeline_config,
)
from object_detection_patch.patch_file import (
    whole_file,
    whole_folder,
    write_patch,
)
from object_detection_patch.training import shipped

FOLDER = "trained"
BASE = "base"
REPORT = "tasks.json"


def write(joint: Joint, model_dir: str) -> dict[str, Any]:
    """Writes `trained/`: base, patches and report, all of them or nothing.

    Patches of the models are bound to the new base from then on.

    Returns:
      The report, as `trained/tasks.json` holds it.

    Raises:
      ValueError: if `trained` is there already.
    """
    target = os.path.join(model_dir, FOLDER)
    whole_folder.refuse_filled(target)
    first = joint.running[0]
    base = _values(first.model.patch.hosts.base_tensors())
    report = _report(joint, target)
    with whole_folder.whole_directory(target) as folder:
        for trainer in joint.running:
            trainer.model.patch.rebase(base)
            path = os.path.join(folder, _patch_file(trainer))
            write_patch(path, _patch(trainer, joint.steps))
        report["base_fingerprint"] = first.model.patch.base_fingerprint
        _write_base(folder, target, first)
        whole_file.write_whole(
            os.path.join(folder, REPORT), json.dumps(report, indent=2).encode()
        )
    return report


def read_report(model_dir: str) -> dict[str, Any] | None:
    """The report of a training that has ended, or None."""
    path = os.path.join(model_dir, FOLDER, REPORT)
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def as_text(report: dict[str, Any]) -> str:
    """The report for people."""
    lines = [
        f"{report['base']}: the new base {report['base_fingerprint'][:12]} "
        f"after {report['steps']:,} steps, an ordinary checkpoint that "
        f"detects the classes of {report['base_detects']}"
    ]
    for name, task in report["tasks"].items():
        if task["stopped_at"] is None:
            lines.append(f"{task['patch']}: patch of {name} for that base")
        else:
            lines.append(
                f"{name} stopped at step {task['stopped_at']:,}, where its "
                "loss or a gradient was not finite: it has no patch"
            )
    return "\n".join(lines)


def all_trained(report: dict[str, Any]) -> bool:
    """Whether no task stopped."""
    return all(t["stopped_at"] is None for t in report["tasks"].values())


def _report(joint: Joint, target: str) -> dict[str, Any]:
    return {
        "base": os.path.join(target, BASE),
        "base_detects": joint.running[0].name,
        "heads": "shared" if joint.share_heads else "private",
        "steps": joint.steps,
        "started_from": joint.base_fingerprint,
        "tasks": {
            trainer.name: {
                "config": trainer.task.path,
                "patch": os.path.join(target, _patch_file(trainer)),
                "image_size": shipped.image_size(trainer.task.pipeline),
                "stopped_at": trainer.stopped_at,
            }
            for trainer in joint.trainers
        },
    }


def _patch_file(trainer: TaskTrainer) -> str:
    return f"{trainer.name}.patch"


def _patch(trainer: TaskTrainer, steps: int) -> Any:
    pipeline = _copy(trainer.task.pipeline)
    pipeline.train_config.num_steps = steps
    return shipped.shipped_patch(trainer.model, pipeline, step=steps)


def _write_base(folder: str, target: str, first: TaskTrainer) -> None:
    pipeline = pipeline_config.without_patch(first.task.pipeline)
    items, _ = label_map.common_label_map(pipeline)
    ordinary.point_at(pipeline, os.path.join(target, BASE))
    model = base_model.build_model(pipeline.model, is_training=False)
    hosts = host_layers.find_ssd_hosts(model)
    trained = first.model.patch.hosts
    values = _values(trained.base_tensors() | trained.head_tensors())
    for name, variable in (hosts.base_tensors() | hosts.head_tensors()).items():
        variable.assign(values[name])
    os.mkdir(os.path.join(folder, BASE))
    ordinary.write_model(os.path.join(folder, BASE), model, pipeline, items)


def _copy(message: Any) -> Any:
    copy = type(message)()
    copy.CopyFrom(message)
    return copy


def _values(tensors: dict[str, Any]) -> dict[str, np.ndarray]:
    return {name: variable.numpy() for name, variable in tensors.items()}
