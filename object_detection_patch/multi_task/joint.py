"""All tasks and the base that they share, ready to train."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import tensorflow as tf

from object_detection_patch.multi_task import rates, sharing
from object_detection_patch.multi_task.task_trainer import TaskTrainer
from object_detection_patch.multi_task.tasks import Task, refuse_nothing_private
from object_detection_patch.od_api import (
    base_model,
    compat,
    loop_pieces,
    step_guard,
)
from object_detection_patch.patch_file import FingerprintError
from object_detection_patch.training import patched_model


class Joint:
    """A joint training: each step moves every task and what they share.

    Make it in the scope of the distribution strategy that trains.

    Args:
      tasks: as `read_tasks` returns them.
      private: what it was called with.
      share_heads: whether the heads are all tasks' too.
      steps: that all tasks take together.
      max_rate_ratio: see `rates.refuse_dominant`.

    Raises:
      FingerprintError: if the tasks' checkpoints hold different bases.
      ValueError: for whatever does not fit, before anything moved.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        *,
        private: str | None,
        share_heads: bool = False,
        steps: int,
        max_rate_ratio: float,
    ) -> None:
        strategy = tf.distribute.get_strategy()
        _refuse_uneven(tasks, strategy)
        self.steps = steps
        self.share_heads = share_heads
        self.step = tf.Variable(
            0,
            trainable=False,
            dtype=tf.int64,
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        )
        schedules = {task.name: _schedule(task, steps) for task in tasks}
        rates.refuse_dominant(schedules, steps=steps, most=max_rate_ratio)
        models, shared = _build(tasks, private, share_heads)
        self.base_fingerprint = _restore(tasks, models)
        trainable = {id(v) for v in models[0].trainable_variables}
        self.shared = [v for v in shared.values() if id(v) in trainable]
        self._statistics = [v for v in shared.values() if not v.trainable]
        self.trainers = [
            TaskTrainer(
                task, model, schedules[task.name], self.shared, self.step
            )
            for task, model in zip(tasks, models, strict=True)
        ]
        self._rate = tf.Variable(0.0, trainable=False)
        self._optimizer = _schedule(tasks[0], steps).optimizer
        self._optimizer.learning_rate = lambda: tf.identity(self._rate)
        loop_pieces.make_slots(self._optimizer, self.shared)
        self._move = tf.function(
            tf.autograph.experimental.do_not_convert(self._distributed_move)
        )

    @property
    def running(self) -> list[TaskTrainer]:
        return [t for t in self.trainers if t.stopped_at is None]

    def state(self) -> tf.train.Checkpoint:
        """What a checkpoint keeps."""
        return tf.train.Checkpoint(
            step=self.step,
            shared_optimizer=self._optimizer,
            tasks=[trainer.state() for trainer in self.trainers],
        )

    def take_step(self) -> tuple[dict[str, float], list[str]]:
        """One step of every running task, and of what they share.

        Returns:
          Task's name -> loss of those that took it, and a sentence for each
          task that stopped instead.
        """
        losses, gradients, used, stopped = {}, [], [], []
        now = int(self.step.numpy())
        for trainer in self.running:
            rate = trainer.schedule.move_to(now)
            try:
                with self._statistics_kept():
                    loss, of_task = trainer.take_step()
            except step_guard.NonFiniteError as error:
                stopped.append(str(error))
                continue
            trainer.model.patch.follow(now)
            losses[trainer.name] = loss
            gradients.append(of_task)
            used.append(rate)
        if gradients:
            self._rate.assign(sum(used) / len(used))
            self._move(gradients, tf.constant(rates.shares(used)))
        self.step.assign_add(1)
        return losses, stopped

    @contextlib.contextmanager
    def _statistics_kept(self) -> Iterator[None]:
        """Undoes what a task that stops has done to shared statistics."""
        before = [variable.numpy() for variable in self._statistics]
        try:
            yield
        except step_guard.NonFiniteError:
            for variable, value in zip(self._statistics, before, strict=True):
                variable.assign(value)
            raise

    def _distributed_move(self, gradients: Any, shares: tf.Tensor) -> None:
        strategy = tf.distribute.get_strategy()
        strategy.run(self._replica_move, (gradients, shares))

    def _replica_move(self, gradients: Any, shares: tf.Tensor) -> None:
        weights = tf.unstack(shares)
        self._optimizer.apply_gradients(
            (
                tf.add_n([w * g for w, g in zip(weights, each, strict=True)]),
                variable,
            )
            for variable, *each in zip(self.shared, *gradients, strict=True)
        )


def _refuse_uneven(
    tasks: Sequence[Task], strategy: tf.distribute.Strategy
) -> None:
    if isinstance(strategy, tf.distribute.MirroredStrategy):
        compat.refuse_missing_devices(strategy.extended.worker_devices)
    replicas = strategy.num_replicas_in_sync
    for task in tasks:
        size = task.train_config.batch_size
        if size % replicas:
            raise ValueError(
                "`train_config.batch_size` must be a multiple of the devices "
                f"that train. Received: {size} for {replicas} devices "
                f"({task.path})."
            )


def _schedule(task: Task, steps: int) -> rates.Schedule:
    config = task.train_config
    return rates.Schedule(
        config.optimizer, planned=config.num_steps, steps=steps
    )


def _build(
    tasks: Sequence[Task], private: str | None, share_heads: bool
) -> tuple[list[Any], dict[str, Any]]:
    """A model for each task, and what they share: stable name -> variable."""
    with sharing.recorded() as made:
        models = [_model(tasks[0])]
    method = models[0].patch
    if not method.host_patches:
        refuse_nothing_private(tasks, private)
    shared = sharing.shared_tensors(
        method.hosts, method.private_tensors(), heads=share_heads
    )
    for task in tasks[1:]:
        with sharing.sharing(made, list(shared.values())):
            models.append(_model(task))
        sharing.refuse_unshared(
            models[-1].patch.hosts,
            shared,
            first=tasks[0].path,
            other=task.path,
        )
    return models, shared


def _model(task: Task) -> Any:
    return patched_model.build_patched(
        task.pipeline.model, task.config, is_training=True, freeze_base=False
    )


def base_fingerprint(tasks: Sequence[Task]) -> str:
    """Of the base that the configs of these tasks name.

    Raises:
      FingerprintError: unless it is one.
      ValueError: for a checkpoint that does not hold it.
    """
    found = {}
    for task in tasks:
        checkpoint = task.train_config.fine_tune_checkpoint
        if checkpoint not in found:
            found[checkpoint] = task
    return _restore(list(found.values()), [_model(t) for t in found.values()])


def _restore(tasks: Sequence[Task], models: Sequence[Any]) -> str:
    """Restores every model's base; returns the fingerprint of it."""
    for task, model in zip(tasks, models, strict=True):
        base_model.restore_base(
            model,
            model.patch.hosts,
            task.train_config.fine_tune_checkpoint,
            checkpoint_type=task.train_config.fine_tune_checkpoint_type,
        )
        model.patch.initialise()
        first, found = (
            models[0].patch.base_fingerprint,
            model.patch.base_fingerprint,
        )
        if found != first:
            raise FingerprintError(
                "Tasks that train one base together must start from the same. "
                f"Received: base {first[:12]} in {tasks[0].path}, but base "
                f"{found[:12]} in {task.path} "
                "(train_config.fine_tune_checkpoint)."
            )
    return models[0].patch.base_fingerprint
