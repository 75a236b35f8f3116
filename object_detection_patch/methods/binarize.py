"""Hard threshold forward, gradient of the sigmoid backward."""

from __future__ import annotations

import tensorflow as tf


def through_sigmoid(upstream: tf.Tensor, latent: tf.Tensor) -> tf.Tensor:
    """upstream * sigmoid'(latent), elementwise, by one fused operation."""
    return tf.raw_ops.SigmoidGrad(y=tf.sigmoid(latent), dy=upstream)


@tf.custom_gradient
def binarize(latent: tf.Tensor):
    """1 where `latent` > 0, else 0, in the dtype of `latent`, any shape.

    The gradient is that of the sigmoid (SpotPatch, Eq. 3 and 5), so latents
    on either side of the threshold keep learning.
    """

    def gradient(upstream):
        return through_sigmoid(upstream, latent)

    return tf.cast(latent > 0, latent.dtype), gradient
