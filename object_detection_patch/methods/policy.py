"""A small network that looks at an image once and decides for each block."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from object_detection_patch.keras_version import keras
from object_detection_patch.patch_file import Replace, ScaleOffset
from object_detection_patch.patch_file.edits import POLICY_PREFIX, Edit


class PolicyNetwork(keras.layers.Layer):
    """Images -> logits of (frozen, tuned) for each block of the backbone.

    A ResNet in small: a strided convolution, then `blocks` residual blocks,
    each half as large and twice as many channels as the one before, the mean
    over all positions, and one dense layer. Its last layer starts at zero, so
    that both choices are equally likely at first.

    Args:
      decisions: number of routed blocks, L.
      blocks: number of residual blocks, at least 1.
      channels: of the first one.

    Input: float [batch, height, width, 3], as the backbone's. Output: float32
    [batch, L, 2].
    Reference: SpotTune, Guo et al., Section 3.2 and "Policy network
    architecture" (there 3 or 4 blocks of 64, 128, ... channels).
    """

    def __init__(
        self, *, decisions: int, blocks: int, channels: int, **kwargs: Any
    ) -> None:
        super().__init__(**{"dtype": "float32"} | kwargs)
        self.decisions = decisions
        self.stem = _ConvolutionNorm(channels, strides=2, name="stem")
        self.blocks = [
            _PolicyBlock(channels * 2**number, name=f"block_{number + 1}")
            for number in range(blocks)
        ]
        self.logits = keras.layers.Dense(
            2 * decisions, kernel_initializer="zeros", name="logits"
        )

    def call(self, images: tf.Tensor, training: bool = False) -> tf.Tensor:
        x = tf.nn.relu(self.stem(tf.cast(images, tf.float32), training))
        for block in self.blocks:
            x = block(x, training=training)
        logits = self.logits(tf.reduce_mean(x, axis=[1, 2]))
        return tf.reshape(logits, [-1, self.decisions, 2])

    def convolutions(self) -> dict[str, _ConvolutionNorm]:
        """Name in patch files -> convolution and its BatchNorm."""
        found = {"stem": self.stem}
        for number, block in enumerate(self.blocks, start=1):
            found |= {
                f"block_{number}/{name}": getattr(block, name)
                for name in ("first", "second", "shortcut")
            }
        return found


class _PolicyBlock(keras.layers.Layer):
    """Two convolutions, the first strided, around a strided shortcut."""

    def __init__(self, channels: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.first = _ConvolutionNorm(channels, strides=2, name="first")
        self.second = _ConvolutionNorm(channels, name="second")
        self.shortcut = _ConvolutionNorm(
            channels, side=1, strides=2, name="shortcut"
        )

    def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        y = tf.nn.relu(self.first(x, training))
        return tf.nn.relu(self.second(y, training) + self.shortcut(x, training))


class _ConvolutionNorm(keras.layers.Layer):
    def __init__(
        self, channels: int, *, side: int = 3, strides: int = 1, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.convolution = keras.layers.Conv2D(
            channels, side, strides=strides, padding="same", use_bias=False
        )
        self.norm = keras.layers.BatchNormalization(momentum=0.9)

    def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        return self.norm(self.convolution(x), training=training)


def policy_edits(policy: PolicyNetwork) -> list[Edit]:
    """A policy as the slots of a routing base take it.

    Their BatchNorms have mean 0 and deviation 1, so the statistics are folded
    into scale and offset; the dense layer is a 1 x 1 convolution.
    """
    found: list[Edit] = []
    for name, layer in policy.convolutions().items():
        place = f"{POLICY_PREFIX}{name}"
        norm = layer.norm
        scale = norm.gamma / tf.sqrt(norm.moving_variance + norm.epsilon)
        offset = norm.beta - norm.moving_mean * scale
        found += [
            Replace(f"{place}/kernel", layer.convolution.kernel.numpy()),
            ScaleOffset(f"{place}/norm", scale.numpy(), offset.numpy()),
        ]
    logits = f"{POLICY_PREFIX}logits"
    return [
        *found,
        Replace(f"{logits}/kernel", policy.logits.kernel.numpy()[None, None]),
        Replace(f"{logits}/bias", policy.logits.bias.numpy()),
    ]


def gumbel(shape: tf.Tensor) -> tf.Tensor:
    """Standard Gumbel noise, float32 (SpotTune, Section 3.2)."""
    smallest = np.finfo(np.float32).tiny
    uniform = tf.random.uniform(shape, minval=smallest, maxval=1.0)
    return -tf.math.log(-tf.math.log(uniform))


def choose(
    logits: tf.Tensor,
    noise: tf.Tensor | float,
    *,
    temperature: float,
    hard: bool,
) -> tf.Tensor:
    """1 where an image takes the tuned block, 0 where the frozen one.

    Args:
      logits: float32 [batch, L, 2], (frozen, tuned).
      noise: Gumbel noise like `logits`, or 0 for the likelier of the two.
      temperature: tau, > 0.
      hard: the value is 0 or 1 and the gradient that of the soft choice
        (straight-through); otherwise the soft choice itself.

    Returns:
      float32 [batch, L].
    Reference: SpotTune, Eq. 3 (forward) and 4 (backward).
    """
    noisy = logits + noise
    soft = tf.nn.softmax(noisy / temperature, axis=-1)[..., 1]
    if not hard:
        return soft
    decided = tf.cast(noisy[..., 1] > noisy[..., 0], tf.float32)
    return soft + tf.stop_gradient(decided - soft)
