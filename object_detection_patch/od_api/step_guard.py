"""Stops training at the first value that is not finite."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import tensorflow as tf


class NonFiniteError(ValueError):
    """A loss or a gradient became NaN or infinite."""


class StepGuard:
    """Follows the training; `step` is the last one begun, or None."""

    def __init__(self) -> None:
        self._global_step: Any = None

    @property
    def step(self) -> int | None:
        if self._global_step is None:
            return None
        return int(self._global_step.numpy())

    def follow(self, global_step: Any) -> None:
        self._global_step = global_step


class _CheckedOptimizer:
    """Refuses to apply a gradient that is not finite."""

    def __init__(self, optimizer: Any) -> None:
        self._optimizer = optimizer

    def apply_gradients(
        self, gradients: Iterable[tuple[Any, Any]], **kwargs: Any
    ) -> Any:
        checked = [
            (finite_gradient(gradient, variable), variable)
            for gradient, variable in gradients
        ]
        return self._optimizer.apply_gradients(checked, **kwargs)


def finite_gradient(gradient: Any, variable: Any) -> Any:
    """The gradient, checked when it is computed; None stays None.

    Its squares must be finite too: an optimizer that adds them up would be
    spoiled for good.
    """
    if gradient is None or isinstance(gradient, tf.IndexedSlices):
        return gradient
    squares = tf.reduce_sum(tf.square(tf.cast(gradient, tf.float32)))
    checked = tf.debugging.check_numerics(
        squares, f"the gradient of {variable.name}"
    )
    with tf.control_dependencies([checked]):
        return tf.identity(gradient)


@contextlib.contextmanager
def guarded_steps(
    after_step: Callable[[Any, Any], None],
) -> Iterator[StepGuard]:
    """Checks every training step of the OD API's loop.

    A NaN stops the loop before it is applied, so the last checkpoint in the
    model directory is the last good one.

    Args:
      after_step: called with (model, global step) in every traced step.

    Raises:
      NonFiniteError: naming the step and the loss or variable.
    """
    from object_detection import model_lib_v2

    original = model_lib_v2.eager_train_step
    # The step is graph code already; converting all of the OD API below it
    # would take most of the time to the first step.
    plain_step = tf.autograph.experimental.do_not_convert(original)
    guard = StepGuard()

    def guarded(
        detection_model: Any,
        features: Any,
        labels: Any,
        unpad_groundtruth_tensors: Any,
        optimizer: Any,
        *args: Any,
        global_step: Any = None,
        **kwargs: Any,
    ) -> Any:
        guard.follow(global_step)
        loss = plain_step(
            detection_model,
            features,
            labels,
            unpad_groundtruth_tensors,
            _CheckedOptimizer(optimizer),
            *args,
            global_step=global_step,
            **kwargs,
        )
        after_step(detection_model, global_step)
        return loss

    model_lib_v2.eager_train_step = guarded
    try:
        yield guard
    except tf.errors.InvalidArgumentError as error:
        what = non_finite_name(str(error))
        if what is None:
            raise
        raise NonFiniteError(
            "Training needs finite losses and gradients. Received: NaN or "
            f"infinity in {what} at step {guard.step}. The last checkpoint "
            "is kept; lower the learning rate or clip gradients "
            "(train_config.gradient_clipping_by_norm, pipeline.config)."
        ) from error
    finally:
        model_lib_v2.eager_train_step = original


def non_finite_name(message: str) -> str | None:
    """Which loss or gradient TensorFlow's error text finds not finite.

    None where the error is about something else.
    """
    found = re.search(
        r"(?P<name>Loss/\S+|the gradient of \S+)\s*"
        r": Tensor had (?:NaN|Inf|-Inf)",
        message,
    )
    return found["name"] if found else None
