"""One training in this process, by the OD API's own loop."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Sequence
from typing import Any

from object_detection_patch import configure
from object_detection_patch.decathlon.running import devices
from object_detection_patch.decathlon.running.folder import Folder
from object_detection_patch.decathlon.suite.runs import Run
from object_detection_patch.decathlon.suite.suite import (
    Base,
    Schedule,
    Suite,
    SuiteTask,
)
from object_detection_patch.multi_task import loop as joint_loop
from object_detection_patch.multi_task import result, tasks
from object_detection_patch.od_api import (
    checks,
    compat,
    extractors,
    pipeline_config,
    repeatable,
    step_guard,
)
from object_detection_patch.patch_file import whole_file
from object_detection_patch.training import loop

# Steps; resumed from the newest one, should the process be killed.
_SELDOM, _OFTEN = 1000, 100


def write_run_config(folder: Folder, run: Run, path: str) -> None:
    """The pipeline.config of a run, an ordinary file to read and to train.

    That of a run that trains together with others is one for
    `od-patch train-multitask`.
    """
    together = run.together
    preset = tasks.PRIVATE[together.private] if together else run.method
    checkpoint = folder.checkpoint(run.base)
    options = run.training.options
    if run.starts_from:
        options += f'  init_from_patch: "{folder.run_start(run)}"\n'
    text = configure.patch_text(
        str(checkpoint / "pipeline.config"),
        str(checkpoint),
        preset,
        _data(folder, run.task, run.task.schedule, run.training.rate),
        patch_options=options,
    )
    write_text(path, text)


def write_base_config(
    folder: Folder,
    suite: Suite,
    base: Base,
    task: SuiteTask,
    train_records: str,
    path: str,
    label_map_path: str | None = None,
) -> None:
    """The pipeline.config of a base's training.

    Args:
      train_records: the share of the task's records that it is trained on.
      label_map_path: if it is not to be the task's.
    """
    data = _data(folder, task, base.schedule, base.rate, train_records)
    if label_map_path is not None:
        data = dataclasses.replace(data, label_map_path=label_map_path)
    text = configure.base_text(suite.architecture, data)
    write_text(path, text)


def train(
    config: str, model_dir: str, *, seed: int, tpu: str | None = None
) -> None:
    """Trains what a pipeline.config says; goes on where it stopped.

    What `model_main_tf2 --seed` does, without a process of its own.

    Args:
      tpu: see `devices`.

    Raises:
      ValueError: for a config, records, a base or a checkpoint that does not
        fit.
      NonFiniteError: when a loss or a gradient is not finite.
    """
    compat.enable()
    extractors.register()
    from object_detection import model_lib_v2

    pipeline = pipeline_config.read_pipeline(config)
    for is_training in (True, False):
        checks.check_readers(pipeline, training=is_training)
    patch = pipeline_config.patch_of(pipeline)
    steps = pipeline.train_config.num_steps
    with contextlib.ExitStack() as stack:
        stack.enter_context(repeatable.repeatable(seed))
        if patch is not None:
            stack.enter_context(loop.patched(patch, model_dir=model_dir))
        else:
            stack.enter_context(step_guard.guarded_steps(_nothing_more))
        stack.enter_context(devices.strategy_scope(tpu))
        model_lib_v2.train_loop(
            pipeline_config_path=config,
            model_dir=model_dir,
            use_tpu=tpu is not None,
            checkpoint_every_n=_checkpoint_every(steps),
            checkpoint_max_to_keep=1,
            record_summaries=False,
        )


def train_jointly(
    configs: Sequence[str], model_dir: str, *, private: str | None, seed: int
) -> dict[str, Any]:
    """Trains what several configs say together, or takes what is trained.

    What `od-patch train-multitask --seed` does.

    Returns:
      Its report; see `multi_task.result`.

    Raises:
      ValueError: for configs, records, a base or a checkpoint that do not fit.
      NonFiniteError: when no task is left.
    """
    compat.enable()
    extractors.register()
    read = tasks.read_tasks(configs, private)
    for task in read:
        checks.check_readers(task.pipeline, training=False)
    steps = max(task.train_config.num_steps for task in read)
    ended = result.read_report(model_dir)
    if ended is not None:
        return ended
    with repeatable.repeatable(seed), devices.strategy_scope(None):
        joint = joint_loop.train(
            read,
            model_dir,
            private=private,
            steps=steps,
            # Unlike the OD API's loop it saves the last step anyway.
            checkpoint_every_n=min(_SELDOM, max(_OFTEN, steps // 10)),
            log_every_n=_OFTEN,
            # The tasks of a suite have one rate.
            max_rate_ratio=1.0,
        )
        return result.write(joint, model_dir)


def _nothing_more(model: Any, global_step: Any) -> None:
    """What a base does after a step."""


def _checkpoint_every(steps: int) -> int:
    """A divisor of `steps`: the loop saves the last step no other way.

    The greatest in reach. Where there is none, as of a large prime, saving
    less often costs less than saving at every other step.
    """
    divisors = [count for count in range(1, steps + 1) if steps % count == 0]
    near = [count for count in divisors if _OFTEN <= count <= _SELDOM]
    if near:
        return max(near)
    return min(count for count in divisors if count > _SELDOM or count == steps)


def _data(
    folder: Folder,
    task: SuiteTask,
    schedule: Schedule,
    rate: float,
    train_records: str | None = None,
) -> configure.Training:
    return configure.Training(
        train_records=train_records or folder.path(task.train_records),
        eval_records=folder.path(task.eval_records),
        label_map_path=folder.path(task.label_map),
        num_steps=schedule.steps,
        batch_size=schedule.batch_size,
        learning_rate=rate,
        flip=task.flip,
        crop=task.crop,
    )


def write_text(path: str, text: str) -> None:
    """Writes a text file, whole or not at all; makes its directory."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    whole_file.write_whole(path, text.encode())
