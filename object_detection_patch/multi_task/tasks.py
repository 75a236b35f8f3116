"""The tasks that train together, checked before anything is built."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import os
from collections.abc import Iterable, Sequence
from typing import Any

from object_detection_patch import methods
from object_detection_patch.methods import presets
from object_detection_patch.od_api import (
    checks,
    input_size,
    label_map,
    pipeline_config,
)
from object_detection_patch.protos import patch_pb2
from object_detection_patch.training import start_labels

# What `--private` may say -> the preset that leaves the rest to all tasks.
PRIVATE = {
    "batch_norm": "BN_PATCH",
    "depthwise": "DW_PATCH",
    "both": "BN_DW_PATCH",
    "none": "FEATURE_EXTRACTOR",
}


@dataclasses.dataclass(frozen=True)
class Task:
    """One task of a joint training.

    Args:
      name: the config's file name without its end; its patch file's, too.
      path: the pipeline.config.
      pipeline: what it says, a TrainEvalPipelineConfig.
      config: what the task keeps to itself, a Patch message.
    """

    name: str
    path: str
    pipeline: Any
    config: patch_pb2.Patch

    @property
    def train_config(self) -> Any:
        return self.pipeline.train_config

    def digest(self) -> str:
        """Of all that a resumed training must agree on; readers may move."""
        train = type(self.train_config)()
        train.CopyFrom(self.train_config)
        train.ClearField("fine_tune_checkpoint")
        texts = [
            message.SerializeToString(deterministic=True)
            for message in (self.pipeline.model, train, self.config)
        ]
        items, _ = label_map.common_label_map(self.pipeline)
        texts.append(repr(items).encode())
        return hashlib.sha256(b"\n".join(texts)).hexdigest()


def read_tasks(
    paths: Sequence[str], private: str | None, *, share_heads: bool = False
) -> list[Task]:
    """Reads the configs of tasks that can train together.

    Args:
      paths: pipeline.config of each task.
      private: a key of PRIVATE, in place of the patches that the configs
        have; None for those.
      share_heads: whether the heads are to be all tasks' too.

    Raises:
      ValueError: for fewer than two tasks, a task given twice, tasks that
        cannot share a base or heads, and whatever one task alone is refused
        for.
    """
    _refuse_too_few(paths)
    tasks = [read_task(path, private) for path in paths]
    _refuse_twice(tasks)
    check_together(tasks, share_heads=share_heads)
    return tasks


def read_task(path: str, private: str | None) -> Task:
    """Reads one config; `private` as for `read_tasks`.

    Raises:
      ValueError: for a config that cannot be read, or says nothing of what
        its task keeps to itself.
    """
    pipeline = pipeline_config.read_pipeline(path)
    name = os.path.splitext(os.path.basename(path))[0]
    return Task(name, path, pipeline, _patch(pipeline, path, private))


def check_together(tasks: Sequence[Task], *, share_heads: bool) -> None:
    """Raises ValueError unless tasks can train together.

    Args:
      share_heads: whether the heads are to be all tasks' too.
    """
    for task in tasks:
        methods.check(task.config)
        methods.check_shared(task.config)
        checks.check_pipeline(task.pipeline, training=True)
        start_labels.check(task.pipeline)
        _check_training(task)
        label_map.common_label_map(task.pipeline)
    for task in tasks[1:]:
        _refuse_other_model(tasks[0], task)
        _refuse_other_patch(tasks[0], task)
        _refuse_other_optimizer(tasks[0], task)
        if share_heads:
            _refuse_other_classes(tasks[0], task)


def refuse_nothing_private(tasks: Iterable[Task], private: str | None) -> None:
    """Raises ValueError unless sharing everything was asked for.

    Call it for tasks whose patch claims no host of the base.
    """
    if private != "none":
        names = ", ".join(task.name for task in tasks)
        raise ValueError(
            "Each task needs something of its own in the base, such as `part "
            "{ batch_norm { } }`, or tasks with nothing but their own heads "
            "must be asked for (`--private none`). Received: none in "
            f"{names} (pipeline.config, [object_detection_patch.patch])."
        )


def _refuse_too_few(paths: Sequence[str]) -> None:
    if len(paths) < 2:
        raise ValueError(
            "`--tasks` needs two configs or more, or one and `--resolutions`; "
            "one task alone is trained by `python -m "
            f"object_detection_patch.model_main_tf2`. Received: {len(paths)}."
        )


def _patch(pipeline: Any, path: str, private: str | None) -> patch_pb2.Patch:
    if private is not None:
        return presets.patch_config(PRIVATE[private])
    config = pipeline_config.patch_of(pipeline)
    if config is None:
        raise ValueError(
            "Each config must say what its task keeps to itself, as "
            "`[object_detection_patch.patch] { preset: BN_PATCH }`, or "
            f"`--private` must ({', '.join(PRIVATE)}). Received: {path} "
            "without a patch."
        )
    return config


def _refuse_twice(tasks: Sequence[Task]) -> None:
    for one, other in itertools.combinations(tasks, 2):
        if one.name == other.name or one.pipeline == other.pipeline:
            raise ValueError(
                "Each task may take part once, under a name of its own: that "
                f"of its config. Received: {one.path} and {other.path}, "
                + (
                    f"both named {one.name!r}."
                    if one.name == other.name
                    else "which say the same."
                )
            )


def _check_training(task: Task) -> None:
    if task.train_config.num_steps < 1:
        raise ValueError(
            "`train_config.num_steps` must be set: the learning rates of all "
            "tasks are stretched to the steps that they train together. "
            f"Received: {task.train_config.num_steps} ({task.path})."
        )
    if task.train_config.optimizer.use_moving_average:
        raise ValueError(
            "`train_config.optimizer.use_moving_average` must be false; the "
            "OD API has no moving averages in TensorFlow 2. Received: true "
            f"({task.path})."
        )


def _refuse_other_model(one: Task, other: Task) -> None:
    digests = [
        pipeline_config.architecture_digests(pipeline)
        for pipeline in (one.pipeline, _as_large(other.pipeline, one.pipeline))
    ]
    different = sorted(
        name
        for name in set(digests[0]) | set(digests[1])
        if digests[0].get(name) != digests[1].get(name)
    )
    if different:
        raise ValueError(
            "Tasks share one base, so they must have one architecture. "
            f"Received: {one.path} and {other.path} with another "
            f"{', '.join(different)} (model.ssd)."
        )


def _as_large(pipeline: Any, wanted: Any) -> Any:
    """A config at the fixed size of another, where both have one.

    No tensor of a base depends on it.
    """
    fixed = "fixed_shape_resizer"
    if all(
        p.model.ssd.image_resizer.HasField(fixed) for p in (pipeline, wanted)
    ):
        return input_size.with_size(pipeline, input_size.fixed_size(wanted, ""))
    return pipeline


def _refuse_other_classes(one: Task, other: Task) -> None:
    maps = [label_map.common_label_map(t.pipeline)[0] for t in (one, other)]
    if maps[0] != maps[1]:
        raise ValueError(
            "Tasks that share their heads must have the same classes "
            "(label_map_path in pipeline.config); `--heads private` gives each "
            f"its own. Received: {one.path} and {other.path}, whose label maps "
            "differ."
        )


def _refuse_other_patch(one: Task, other: Task) -> None:
    if one.config.fake_quantize != other.config.fake_quantize or (
        presets.resolve_parts(one.config) != presets.resolve_parts(other.config)
    ):
        raise ValueError(
            "All tasks must keep the same to themselves, so that all share "
            f"the rest. Received: {presets.method_name(one.config)} in "
            f"{one.path}, but {presets.method_name(other.config)} in "
            f"{other.path}, or other options of it."
        )


def _refuse_other_optimizer(one: Task, other: Task) -> None:
    if _optimizer(one) != _optimizer(other):
        raise ValueError(
            "One optimizer moves what is shared, so all tasks must have the "
            "same but for its learning rate (train_config.optimizer). "
            f"Received: {one.path} and {other.path}, which differ."
        )


def _optimizer(task: Task) -> Any:
    optimizer = type(task.train_config.optimizer)()
    optimizer.CopyFrom(task.train_config.optimizer)
    kind = optimizer.WhichOneof("optimizer")
    if kind is not None:
        getattr(optimizer, kind).ClearField("learning_rate")
    return optimizer
