"""Activations with an exact forward and a signed backward pass.

Reference: Chiang et al., MobileTL, AAAI 2023, Table 2 and Figure 3. Of
a_out = f(a) the gradient is taken as if f were a step of slope 1,

    dL/da = dL/da_out * 1[a >= 0],

so one bit an element is all that the backward pass needs. It is kept packed,
eight elements in a byte, whereas TensorFlow keeps all of `a` or `a_out`.

A name scope `keeps_<n>_bits` around a gradient written by hand says what it
keeps of an element; profiles read it there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

_ONE = np.uint8(1)


def signed_backward(
    activation: Callable[[tf.Tensor], tf.Tensor],
) -> Callable[[tf.Tensor], tf.Tensor]:
    """`activation` with the signed gradient.

    Args:
      activation: a function of each element, such as ReLU6 or Hard-Swish.

    Returns:
      A function of one float tensor of any shape, giving the same values.
    """

    @tf.custom_gradient
    def signed(x: tf.Tensor) -> tuple[tf.Tensor, Callable[..., Any]]:
        mask = packed(x >= 0)

        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            return tf.where(
                unpacked(mask, tf.shape(upstream)),
                upstream,
                tf.zeros_like(upstream),
            )

        return activation(x), gradient

    def scoped(x: tf.Tensor) -> tf.Tensor:
        with tf.name_scope("keeps_1_bit"):
            return signed(x)

    return scoped


def packed(mask: tf.Tensor) -> tf.Tensor:
    """Eight elements in a byte, the first in its highest bit.

    Args:
      mask: bool, any shape.

    Returns:
      uint8 [ceil(elements / 8)]; the rest of the last byte is 0.
    """
    flat = tf.reshape(tf.cast(mask, tf.uint8), [-1])
    filled = tf.pad(flat, [[0, -tf.size(flat) % 8]])
    bits = tf.bitwise.left_shift(tf.reshape(filled, [-1, 8]), _places())
    # Joined in halves, because GPUs have no sum of bytes.
    for half in (4, 2, 1):
        bits = tf.bitwise.bitwise_or(bits[:, :half], bits[:, half:])
    return bits[:, 0]


def unpacked(bits: tf.Tensor, shape: tf.Tensor) -> tf.Tensor:
    """The mask that `packed` took, bool of this shape."""
    shifted = tf.bitwise.right_shift(bits[:, tf.newaxis], _places())
    each = tf.cast(tf.bitwise.bitwise_and(shifted, _ONE), tf.bool)
    return tf.reshape(tf.reshape(each, [-1])[: tf.reduce_prod(shape)], shape)


def _places() -> tf.Tensor:
    return tf.constant([7, 6, 5, 4, 3, 2, 1, 0], tf.uint8)
