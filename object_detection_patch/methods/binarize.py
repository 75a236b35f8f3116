"""Hard threshold forward, gradient of the sigmoid backward."""

from __future__ import annotations

import tensorflow as tf


def sigmoid_slope(latent: tf.Tensor) -> tf.Tensor:
    """sigmoid'(latent), elementwise."""
    value = tf.sigmoid(latent)
    return value * (1.0 - value)


@tf.custom_gradient
def binarize(latent: tf.Tensor):
    """1 where `latent` > 0, else 0, in the dtype of `latent`, any shape.

    The gradient is that of the sigmoid (SpotPatch, Eq. 3 and 5), so latents
    on either side of the threshold keep learning.
    """

    def gradient(upstream):
        return upstream * sigmoid_slope(latent)

    return tf.cast(latent > 0, latent.dtype), gradient
