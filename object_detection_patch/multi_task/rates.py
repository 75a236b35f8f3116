"""Learning rates of several tasks, comparable at any time of the training.

Tasks take their steps together, so the rule of the paper's Section 5.3, that
between two decays of the rate all tasks do alike, asks for

    epochs per decay * images / batch size = steps per decay

to be the same for all. Each task's schedule is therefore stretched from the
steps that its config plans to those that all tasks take together; what is
then left to differ is the height.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from object_detection_patch.od_api import loop_pieces

# Where rates are compared: places along the training, and of each place only
# if a rate reaches this share of the greatest of all.
_PLACES = 100
_MATTERS = 0.1


class Schedule:
    """A task's optimizer and its learning rate along the joint training.

    Args:
      config: Optimizer message of the task.
      planned: steps that the task's config plans.
      steps: steps that all tasks take together.
    """

    def __init__(self, config: Any, *, planned: int, steps: int) -> None:
        self._stretch = planned, steps
        self._step = _variable(0, tf.int64)
        self._rate = _variable(0.0, tf.float32)
        self.optimizer, self._planned_rate = loop_pieces.build_optimizer(
            config, self._step
        )
        self.optimizer.learning_rate = self.rate

    def rate(self) -> tf.Tensor:
        """The learning rate at the time that was set, a float32 scalar."""
        return tf.identity(self._rate)

    def move_to(self, step: int) -> float:
        """Sets the time to a joint step; returns the rate there.

        Between two planned steps it is on the line through their rates.
        """
        planned, steps = self._stretch
        whole, rest = divmod(step * planned, steps)
        rate = self._at(whole)
        if rest:
            rate += rest / steps * (self._at(whole + 1) - rate)
        self._rate.assign(rate)
        return rate

    def _at(self, planned_step: int) -> float:
        self._step.assign(planned_step)
        return float(self._planned_rate())


def refuse_dominant(
    schedules: Mapping[str, Schedule], *, steps: int, most: float
) -> None:
    """Raises ValueError if a task's rate is far above another's anywhere.

    Args:
      schedules: task's name -> schedule.
      most: greatest ratio of two rates at one step that is allowed.
    """
    places = np.unique(np.linspace(0, steps - 1, _PLACES).astype(int))
    rates = {
        name: np.array([schedule.move_to(step) for step in map(int, places)])
        for name, schedule in schedules.items()
    }
    highest = np.max(list(rates.values()), axis=0)
    for at in np.flatnonzero(highest >= _MATTERS * highest.max()):
        high = max(rates, key=lambda name: rates[name][at])
        low = min(rates, key=lambda name: rates[name][at])
        if rates[high][at] > most * rates[low][at]:
            raise ValueError(
                "Learning rates of tasks that train together must be "
                "comparable at any time, or one task takes the base for "
                f"itself: at most {most:g} times another's "
                "(`--max_rate_ratio`). Received: at step "
                f"{places[at]} of {steps} {rates[high][at]:.3g} for {high} "
                f"and {rates[low][at]:.3g} for {low} "
                "(train_config.optimizer, pipeline.config)."
            )


def _variable(value: float, dtype: tf.DType) -> tf.Variable:
    return tf.Variable(
        value,
        trainable=False,
        dtype=dtype,
        aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
    )


def shares(rates: Sequence[float]) -> list[float]:
    """What each task's gradient counts in that of what is shared; sum 1.

    With them and the mean rate, gradient descent moves what is shared by the
    mean of the steps that each task alone would take.
    """
    total = sum(rates)
    if total <= 0:
        return [1 / len(rates)] * len(rates)
    return [rate / total for rate in rates]
