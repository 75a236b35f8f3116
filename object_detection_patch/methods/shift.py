"""A BatchNorm that trains its shift alone, and an activation behind it.

The first keeps nothing for the backward pass, the second, whose gradient may be
signed, a bit an element. Reference: Chiang et al., MobileTL, AAAI 2023,
Eq. 1 and 2: of y = gamma (x - mean) / sigma + beta with frozen gamma, mean and
sigma,

    dL/dx = dL/dy * gamma / sigma,   dL/dbeta = sum of dL/dy.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from object_detection_patch.hosts import HostBatchNorm
from object_detection_patch.keras_version import keras
from object_detection_patch.methods import base
from object_detection_patch.methods.signed_backward import signed_backward
from object_detection_patch.patch_file import edits


@keras.utils.register_keras_serializable("object_detection_patch")
class TrainedShift(base.HostPatch):
    """Trains beta of its host; ships gamma as it is and the task's beta."""

    def build(self, channels: int) -> None:
        del channels
        self.built = True

    def trained_in_place(self, host: HostBatchNorm) -> list[Any]:
        return [host.layer.beta]

    def take_over(self, host: HostBatchNorm) -> None:
        base.replace_call(host.layer, shifted(host.layer))

    def give_back(self, host: HostBatchNorm) -> None:
        base.own_call(host.layer)

    def edits(self, host: HostBatchNorm) -> list[edits.Edit]:
        layer = host.layer
        return [
            edits.ScaleOffset(
                host.name, layer.gamma.numpy(), layer.beta.numpy()
            )
        ]


@keras.utils.register_keras_serializable("object_detection_patch")
class ShiftedBatchNorm(TrainedShift):
    """Besides, gives the activation behind its host a signed gradient."""

    def take_over(self, host: HostBatchNorm) -> None:
        super().take_over(host)
        for activation, position in _activations(host.layer):
            base.replace_call(activation, _signed(activation.call, position))

    def give_back(self, host: HostBatchNorm) -> None:
        super().give_back(host)
        for activation, _ in _activations(host.layer):
            base.own_call(activation)


def shift_only(
    x: tf.Tensor,
    *,
    gamma: tf.Tensor,
    beta: tf.Tensor,
    mean: tf.Tensor,
    variance: tf.Tensor,
    epsilon: float,
) -> tf.Tensor:
    """gamma (x - mean) / sqrt(variance + epsilon) + beta.

    Args:
      x: float [..., channels]; it gets a gradient, and so does `beta`.
      gamma, beta, mean, variance: float [channels].
    """
    slope = tf.stop_gradient(gamma * tf.math.rsqrt(variance + epsilon))
    slope = tf.cast(slope, x.dtype)
    mean = tf.cast(mean, x.dtype)

    @tf.custom_gradient
    def normalised(
        x: tf.Tensor, beta: tf.Tensor
    ) -> tuple[tf.Tensor, Callable[..., Any]]:
        # What is computed here must not be kept for a gradient of its own.
        x, beta = tf.stop_gradient(x), tf.stop_gradient(beta)

        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            places = list(range(upstream.shape.rank - 1))
            return upstream * slope, tf.reduce_sum(upstream, places)

        return x * slope + (beta - mean * slope), gradient

    with tf.name_scope("keeps_0_bits"):
        return normalised(x, tf.cast(beta, x.dtype))


def shifted(layer: Any) -> Callable[..., tf.Tensor]:
    """What a BatchNorm computes whose shift alone trains."""

    def call(inputs: tf.Tensor, training: Any = None) -> tf.Tensor:
        del training
        return shift_only(
            inputs,
            gamma=layer.gamma,
            beta=layer.beta,
            mean=layer.moving_mean,
            variance=layer.moving_variance,
            epsilon=layer.epsilon,
        )

    return call


def _activations(layer: Any) -> list[tuple[Any, int | None]]:
    """Layers that end the activation of `layer`'s output.

    Each with the position of that output among its inputs, or None where it
    is the only one. A Hard-Swish of tf_keras is several layers, the last of
    which multiplies the output with a hard sigmoid of it.

    Raises:
      ValueError: for an activation of another form.
    """
    # A model inside another has its layers called, and listed, once more.
    nodes = layer.outbound_nodes
    readers = list({id(node.layer): node.layer for node in nodes}.values())
    if len(readers) == 1:
        return [(readers[0], None)]
    products = [r for r in readers if isinstance(r, keras.layers.Multiply)]
    if len(readers) != 2 or len(products) != 1:
        raise ValueError(
            "`mobile_tl` needs one activation, ReLU6 or Hard-Swish, behind "
            "each BatchNorm inside a block. Received: "
            f"{', '.join(reader.name for reader in readers) or 'nothing'} "
            f"behind {layer.name}."
        )
    inputs = products[0].get_input_at(0)
    output = layer.get_output_at(0)
    return [(products[0], [x is output for x in inputs].index(True))]


def _signed(
    call: Callable[..., tf.Tensor], position: int | None
) -> Callable[..., tf.Tensor]:
    """The layer's own `call`, with a signed gradient to one input.

    Keras hands what `call` declares, such as a Lambda's `training`, through.
    """

    def of_one(inputs: tf.Tensor, **options: Any) -> tf.Tensor:
        return signed_backward(functools.partial(call, **options))(inputs)

    def of_several(inputs: Sequence[tf.Tensor]) -> tf.Tensor:
        others = [tf.stop_gradient(x) for x in inputs]

        def activation(x: tf.Tensor) -> tf.Tensor:
            return call([*others[:position], x, *others[position + 1 :]])

        return signed_backward(activation)(inputs[position])

    return of_one if position is None else of_several
