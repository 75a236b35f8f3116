"""Pieces of the OD API's training loop, for a loop that it has not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import tensorflow as tf

from object_detection_patch.od_api import step_guard


def build_optimizer(
    config: Any, step: tf.Variable
) -> tuple[Any, Callable[[], Any]]:
    """The optimizer of an Optimizer message, and its learning rate at `step`.

    Raises:
      ValueError: for what the OD API has not in TensorFlow 2.
    """
    from object_detection.builders import optimizer_builder

    optimizer, (rate,) = optimizer_builder.build(config, global_step=step)
    return optimizer, rate if callable(rate) else lambda: rate


def make_slots(optimizer: Any, variables: list[Any]) -> None:
    """Makes an optimizer's variables before its first step.

    Made in that step, they would have TensorFlow trace it a second time.
    """
    # The one way that Keras 2 has, before a first gradient.
    optimizer._create_all_weights(variables)  # noqa: SLF001


def open_images(pipeline: Any, model: Any) -> Any:
    """Endless batches of (features, labels), split among the replicas."""
    from object_detection import inputs

    def images(context: tf.distribute.InputContext) -> tf.data.Dataset:
        return inputs.train_input(
            train_config=pipeline.train_config,
            train_input_config=pipeline.train_input_reader,
            model_config=pipeline.model,
            model=model,
            input_context=context,
        ).repeat()

    strategy = tf.distribute.get_strategy()
    return iter(strategy.distribute_datasets_from_function(images))


def gradients(
    model: Any,
    features: Any,
    labels: Any,
    train_config: Any,
    *,
    rate: Any,
    step: tf.Variable,
) -> tuple[tf.Tensor, list[tuple[Any, Any]]]:
    """What the loop's step would apply, on one replica, and the loss.

    Losses, penalties and clipping are the OD API's own. BatchNorm statistics
    move. A value that is not finite raises when it is computed, in a way that
    `step_guard.non_finite_name` reads.

    Returns:
      The replica's share of the total loss, a scalar, and (gradient or None,
      variable) for each trainable variable of the model.
    """
    from object_detection import model_lib_v2

    catcher = _GradientCatcher()
    loss = model_lib_v2.eager_train_step(
        model,
        features,
        labels,
        train_config.unpad_groundtruth_tensors,
        catcher,
        learning_rate=rate,
        add_regularization_loss=train_config.add_regularization_loss,
        clip_gradients_value=train_config.gradient_clipping_by_norm or None,
        global_step=step,
        num_replicas=tf.distribute.get_strategy().num_replicas_in_sync,
    )
    return loss, catcher.caught


class _GradientCatcher:
    """Takes an optimizer's place in the OD API's step and moves nothing."""

    def __init__(self) -> None:
        self.caught: list[tuple[Any, Any]] = []

    def apply_gradients(
        self, gradients: Iterable[tuple[Any, Any]], **unused: Any
    ) -> None:
        del unused
        self.caught = [
            (step_guard.finite_gradient(gradient, variable), variable)
            for gradient, variable in gradients
        ]
