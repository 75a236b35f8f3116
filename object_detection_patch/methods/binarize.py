"""Hard threshold forward, gradient of the sigmoid backward."""

from __future__ import annotations

import tensorflow as tf


def through_sigmoid(upstream: tf.Tensor, latent: tf.Tensor) -> tf.Tensor:
    """upstream * sigmoid'(latent), elementwise, by one fused operation."""
    return tf.raw_ops.SigmoidGrad(y=tf.sigmoid(latent), dy=upstream)


def binarize(latent: tf.Tensor, allowed: tf.Tensor | bool = True) -> tf.Tensor:
    """1 where `latent` > 0, else 0, in the dtype of `latent`, any shape.

    The gradient is that of the sigmoid (SpotPatch, Eq. 3 and 5), so latents
    on either side of the threshold keep learning.

    Args:
      allowed: bool of the same shape; 0 where it is False. Latents there
        learn too.
    """

    @tf.custom_gradient
    def forward(latent: tf.Tensor):
        def gradient(upstream):
            return through_sigmoid(upstream, latent)

        is_one = tf.logical_and(latent > 0, allowed)
        return tf.cast(is_one, latent.dtype), gradient

    return forward(latent)
