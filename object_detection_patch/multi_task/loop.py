"""The steps of a joint training, from its newest checkpoint to its end."""

from __future__ import annotations

import os
from collections.abc import Sequence

import tensorflow as tf

from object_detection_patch.multi_task import epochs, settings
from object_detection_patch.multi_task.joint import Joint
from object_detection_patch.multi_task.progress import Progress, say
from object_detection_patch.multi_task.tasks import Task
from object_detection_patch.od_api import step_guard

CHECKPOINTS = "checkpoints"
_KEPT = 2


def train(
    tasks: Sequence[Task],
    model_dir: str,
    *,
    private: str | None,
    share_heads: bool = False,
    steps: int,
    checkpoint_every_n: int,
    log_every_n: int,
    max_rate_ratio: float,
) -> Joint:
    """Trains the tasks together; goes on where an earlier run stopped.

    A task whose loss or gradient is not finite stops alone, and is not among
    `running` of what is returned.

    Args:
      tasks: as `read_tasks` returns them.
      model_dir: gets `training.json` and `checkpoints/`.
      private, share_heads: what `read_tasks` was called with.
      steps: that all tasks take together.
      checkpoint_every_n: steps between two checkpoints; the last is kept too.
      log_every_n: steps between two lines of progress.
      max_rate_ratio: see `rates.refuse_dominant`.

    Raises:
      NonFiniteError: when no task is left.
      ValueError: for whatever does not fit, before the first step.
    """
    settings.refuse_foreign(model_dir)
    settings.refuse_other_tasks(
        model_dir, tasks, steps, share_heads=share_heads
    )
    joint = Joint(
        tasks,
        private=private,
        share_heads=share_heads,
        steps=steps,
        max_rate_ratio=max_rate_ratio,
    )
    settings.keep(
        model_dir,
        settings.of_training(
            tasks,
            steps=steps,
            base_fingerprint=joint.base_fingerprint,
            share_heads=share_heads,
        ),
    )
    manager = tf.train.CheckpointManager(
        joint.state(), os.path.join(model_dir, CHECKPOINTS), max_to_keep=_KEPT
    )
    _restore(joint, manager)
    _introduce(joint)
    _take_steps(joint, manager, checkpoint_every_n, log_every_n)
    return joint


def _restore(joint: Joint, manager: tf.train.CheckpointManager) -> None:
    newest = manager.latest_checkpoint
    if newest is None:
        return
    status = manager.checkpoint.restore(newest)
    status.assert_existing_objects_matched()
    say(f"goes on at step {int(joint.step.numpy()):,}, from {newest}")
    for trainer in joint.trainers:
        if trainer.stopped_at is not None:
            say(f"{trainer.name} had stopped at step {trainer.stopped_at:,}")


def _introduce(joint: Joint) -> None:
    first = joint.trainers[0].model.patch
    of_all = sum(v.shape.num_elements() for v in joint.shared)
    say(
        f"{len(joint.trainers)} tasks on base {joint.base_fingerprint[:12]}: "
        f"{of_all:,} numbers are trained by all; {first.method}, "
        f"{len(first.private_tensors())} tensors, "
        + (
            "are each task's own, the heads are shared"
            if joint.share_heads
            else "and the heads are each task's own"
        )
    )
    for trainer in joint.trainers:
        say(epochs.describe(trainer.task, joint.steps))


def _take_steps(
    joint: Joint,
    manager: tf.train.CheckpointManager,
    checkpoint_every_n: int,
    log_every_n: int,
) -> None:
    progress = Progress(joint.steps, log_every_n)
    _refuse_none_left(joint)
    for step in range(int(joint.step.numpy()) + 1, joint.steps + 1):
        losses, stopped = joint.take_step()
        for sentence in stopped:
            say(f"{sentence} The others go on." if joint.running else sentence)
        progress.after(step, losses)
        # The last good checkpoint is worth more than this one.
        _refuse_none_left(joint)
        if stopped or step % checkpoint_every_n == 0 or step == joint.steps:
            manager.save(checkpoint_number=step)


def _refuse_none_left(joint: Joint) -> None:
    if not joint.running:
        raise step_guard.NonFiniteError(
            "Training needs finite losses and gradients. Received: NaN or "
            "infinity in every task. Lower the learning rates or clip "
            "gradients (train_config.gradient_clipping_by_norm, "
            "pipeline.config), and use another `--model_dir`."
        )
