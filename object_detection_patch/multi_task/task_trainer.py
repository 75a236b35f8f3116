"""One task's part of a joint training: its model, its images, its own step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from object_detection_patch.multi_task.rates import Schedule
from object_detection_patch.multi_task.tasks import Task
from object_detection_patch.od_api import loop_pieces, step_guard

_RUNNING = -1


class TaskTrainer:
    """Moves what is the task's own; hands out gradients of what is shared.

    Args:
      task: what its config says.
      model: patched SSD on the restored base, made in the strategy's scope.
      schedule: its optimizer and rate.
      shared: variables that all tasks train, in one order.
      step: the joint step, a variable.
    """

    def __init__(
        self,
        task: Task,
        model: Any,
        schedule: Schedule,
        shared: Sequence[Any],
        step: tf.Variable,
    ) -> None:
        self.task = task
        self.model = model
        self.schedule = schedule
        self._shared = shared
        self._step = step
        self._stopped_at = tf.Variable(
            _RUNNING, dtype=tf.int64, trainable=False
        )
        loop_pieces.make_slots(schedule.optimizer, self._own())
        self._images = loop_pieces.open_images(task.pipeline, model)
        self._traced = tf.function(
            # It is graph code already; converting all of the OD API below
            # it would take most of the time to the first step.
            tf.autograph.experimental.do_not_convert(self._distributed_step)
        )

    @property
    def name(self) -> str:
        return self.task.name

    @property
    def stopped_at(self) -> int | None:
        """The step at which a value was not finite, or None."""
        step = int(self._stopped_at.numpy())
        return None if step == _RUNNING else step

    def state(self) -> tf.train.Checkpoint:
        """What a checkpoint keeps of the task."""
        return tf.train.Checkpoint(
            model=self.model,
            optimizer=self.schedule.optimizer,
            stopped_at=self._stopped_at,
        )

    def take_step(self) -> tuple[float, list[Any]]:
        """Loss, and a gradient for each shared variable, on each replica.

        The task's own variables have moved then. What was shared has not,
        but for BatchNorm statistics, if they are.

        Raises:
          NonFiniteError: if the loss or a gradient is not finite. The task
            counts as stopped, and its own variables may be spoiled.
        """
        try:
            loss, gradients = self._traced(self._images)
            return float(loss), gradients
        except tf.errors.InvalidArgumentError as error:
            what = step_guard.non_finite_name(str(error))
            if what is None:
                raise
            self._stopped_at.assign(int(self._step.numpy()))
            raise step_guard.NonFiniteError(
                f"{self.name} stops: NaN or infinity in {what} at step "
                f"{self.stopped_at}."
            ) from error

    def _own(self) -> list[Any]:
        shared = {id(variable) for variable in self._shared}
        return [
            v for v in self.model.trainable_variables if id(v) not in shared
        ]

    def _distributed_step(self, images: Any) -> tuple[Any, list[Any]]:
        strategy = tf.distribute.get_strategy()
        loss, gradients = strategy.run(self._replica_step, next(images))
        total = strategy.reduce(tf.distribute.ReduceOp.SUM, loss, axis=None)
        return total, gradients

    def _replica_step(self, features: Any, labels: Any) -> tuple[Any, Any]:
        loss, pairs = loop_pieces.gradients(
            self.model,
            features,
            labels,
            self.task.train_config,
            rate=self.schedule.rate(),
            step=self._step,
        )
        gradients = {id(variable): gradient for gradient, variable in pairs}
        own = [(gradients[id(v)], v) for v in self._own()]
        if own:
            self.schedule.optimizer.apply_gradients(own)
        return loss, [_or_zero(gradients.get(id(v)), v) for v in self._shared]


def _or_zero(gradient: Any, variable: Any) -> tf.Tensor:
    if gradient is None:
        return tf.zeros(variable.shape, variable.dtype)
    return tf.convert_to_tensor(gradient)
