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

_ZERO = np.int8(0)
_PLACES = np.array([-128, 64, 32, 16, 8, 4, 2, 1], np.int8)
# The eight elements of each byte.
_MASKS = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1) > 0


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
        # What is computed here must not be kept for a gradient of its own.
        x = tf.stop_gradient(x)
        mask = packed(x >= 0)

        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            # Unpacked when the gradient is there: TensorFlow runs what can
            # run, and would hold the mask unpacked from the forward pass on.
            with tf.control_dependencies([upstream]):
                bits = tf.identity(mask)
            return tf.where(
                unpacked(bits, tf.shape(upstream)),
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
    flat = tf.reshape(mask, [-1])
    if flat.shape[0] is None or flat.shape[0] % 8:
        rest = tf.zeros([-tf.size(flat) % 8], tf.bool)
        flat = tf.concat([flat, rest], 0)
    # In operations that LiteRT has too: it shifts to the right alone, and
    # chooses among signed bytes alone.
    bits = tf.where(tf.reshape(flat, [-1, 8]), _PLACES, _ZERO)
    # Joined in halves, because GPUs have no sum of bytes.
    for half in (4, 2, 1):
        bits = tf.bitwise.bitwise_xor(bits[:, :half], bits[:, half:])
    return tf.bitcast(bits[:, 0], tf.uint8)


def unpacked(bits: tf.Tensor, shape: tf.Tensor) -> tf.Tensor:
    """The mask that `packed` took, bool of this shape."""
    each = tf.gather(_MASKS, tf.cast(bits, tf.int32))
    return tf.reshape(tf.reshape(each, [-1])[: tf.reduce_prod(shape)], shape)
