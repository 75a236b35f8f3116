"""BatchNorm on the batch's statistics, in operations that LiteRT has."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import tensorflow as tf


@contextlib.contextmanager
def normalising_by_batch(
    layers: Sequence[Any],
) -> Iterator[list[tuple[tf.Variable, tf.Tensor]]]:
    """Within it these layers normalise by the batch, and change nothing.

    Yields a list that fills with (moving statistic, its next value) as the
    layers are called; who traces them decides when to assign.
    """
    updates: list[tuple[tf.Variable, tf.Tensor]] = []
    for layer in layers:
        call = tf.autograph.experimental.do_not_convert(_call(layer, updates))
        vars(layer)["call"] = call
    try:
        yield updates
    finally:
        for layer in layers:
            vars(layer).pop("call")


def normalised(
    x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, epsilon: float
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """(gamma (x - mean) / sqrt(variance + epsilon) + beta, mean, variance).

    Mean and variance are those of `x` and get no gradient of their own.

    Args:
      x: float [..., channels], of known shape.
      gamma, beta: float [channels].

    Reference: Ioffe and Szegedy, Batch Normalization, 2015, Algorithm 1 and
    Section 3.
    """
    places = list(range(x.shape.rank - 1))
    mean = tf.stop_gradient(tf.reduce_mean(x, places))
    variance = tf.stop_gradient(tf.reduce_mean(tf.square(x - mean), places))

    @tf.custom_gradient
    def of(
        x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor
    ) -> tuple[tf.Tensor, Callable[..., Any]]:
        deviation = tf.math.rsqrt(variance + epsilon)

        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, ...]:
            unit = (x - mean) * deviation
            to_gamma = tf.reduce_sum(upstream * unit, places)
            to_beta = tf.reduce_sum(upstream, places)
            number = math.prod(x.shape[:-1])
            common = (to_beta + unit * to_gamma) / number
            return gamma * deviation * (upstream - common), to_gamma, to_beta

        slope = gamma * deviation
        return x * slope + (beta - mean * slope), gradient

    return of(x, gamma, beta), mean, variance


def _call(
    layer: Any, updates: list[tuple[tf.Variable, tf.Tensor]]
) -> Callable[..., tf.Tensor]:
    def call(inputs: tf.Tensor, training: Any = None) -> tf.Tensor:
        del training
        output, mean, variance = normalised(
            inputs,
            tf.convert_to_tensor(layer.gamma),
            tf.convert_to_tensor(layer.beta),
            layer.epsilon,
        )
        # As the fused operation: the variance of the population that the
        # batch is a sample of.
        number = math.prod(inputs.shape[:-1])
        of_population = variance * (number / max(number - 1, 1))
        for moving, value in (
            (layer.moving_mean, mean),
            (layer.moving_variance, of_population),
        ):
            old = tf.convert_to_tensor(moving)
            kept = float(layer.momentum)
            updates.append((moving, kept * old + (1 - kept) * value))
        return output

    return call
