"""Gradients written in operations that LiteRT has.

TensorFlow's own gradients of these operations are operations too, such as
Conv2DBackpropFilter, which LiteRT runs only through its Flex delegate; the
wheel of `ai-edge-litert` has none. The forward pass stays as it is.

Shapes must be known: batch, height, width.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

_PREFIX = "ObjectDetectionPatchBuiltin"


@contextlib.contextmanager
def builtin_gradients() -> Iterator[None]:
    """Operations made within it have these gradients under `tf.gradients`.

    To be entered while a `tf.function` is traced.
    """
    graph = tf.compat.v1.get_default_graph()
    names = {kind: _PREFIX + kind for kind in _GRADIENTS}
    with graph.gradient_override_map(names):
        yield


def _conv2d(operation: Any, upstream: tf.Tensor) -> list[tf.Tensor]:
    x, kernel = operation.inputs
    window = _Window(operation)
    if window.is_pointwise:
        return _pointwise(x, kernel, upstream)
    flipped = tf.transpose(tf.reverse(kernel, [0, 1]), [0, 1, 3, 2])
    to_x = tf.nn.conv2d(window.spread(upstream), flipped, 1, "VALID")
    flat = _flat(upstream)
    to_kernel = [
        tf.matmul(_flat(part), flat, transpose_a=True)
        for part in window.parts(x)
    ]
    return [window.cropped(to_x), tf.reshape(tf.stack(to_kernel), kernel.shape)]


def _pointwise(
    x: tf.Tensor, kernel: tf.Tensor, upstream: tf.Tensor
) -> list[tf.Tensor]:
    matrix = tf.reshape(kernel, kernel.shape[2:])
    flat = _flat(upstream)
    to_x = tf.matmul(flat, matrix, transpose_b=True)
    to_kernel = tf.matmul(_flat(x), flat, transpose_a=True)
    return [tf.reshape(to_x, x.shape), tf.reshape(to_kernel, kernel.shape)]


def _depthwise(operation: Any, upstream: tf.Tensor) -> list[tf.Tensor]:
    x, kernel = operation.inputs
    if kernel.shape[3] != 1:
        raise ValueError(
            "A depthwise convolution that trains on the device must have one "
            f"output channel for each input channel. Received: {operation.name}"
            f" with {kernel.shape[3]}."
        )
    window = _Window(operation)
    flipped = tf.reverse(kernel, [0, 1])
    to_x = tf.nn.depthwise_conv2d(
        window.spread(upstream), flipped, [1, 1, 1, 1], "VALID"
    )
    to_kernel = [
        tf.reduce_sum(part * upstream, [0, 1, 2]) for part in window.parts(x)
    ]
    return [window.cropped(to_x), tf.reshape(tf.stack(to_kernel), kernel.shape)]


def _relu6(operation: Any, upstream: tf.Tensor) -> tf.Tensor:
    (y,) = operation.outputs
    inside = tf.logical_and(y > 0, y < 6)  # noqa: PLR2004
    return tf.where(inside, upstream, tf.zeros_like(upstream))


def _bias_add(operation: Any, upstream: tf.Tensor) -> list[tf.Tensor]:
    del operation
    return [upstream, tf.reduce_sum(_flat(upstream), 0)]


class _Window:
    """Where a convolution's kernel lies on its input, NHWC."""

    def __init__(self, operation: Any) -> None:
        x, kernel = operation.inputs
        self._shape = x.shape.as_list()
        self._sides = kernel.shape.as_list()[:2]
        self._out = operation.outputs[0].shape.as_list()[1:3]
        self._strides = operation.get_attr("strides")[1:3]
        _refuse_others(operation)
        same = operation.get_attr("padding") == b"SAME"
        self._before = [
            max(reach - size, 0) // 2 if same else 0
            for reach, size in zip(self._reach, self._shape[1:3], strict=True)
        ]

    @property
    def _reach(self) -> list[int]:
        """Rows and columns from the first that is read to the last."""
        return [
            (out - 1) * stride + side
            for out, stride, side in zip(
                self._out, self._strides, self._sides, strict=True
            )
        ]

    @property
    def is_pointwise(self) -> bool:
        return self._sides == [1, 1] and list(self._strides) == [1, 1]

    def parts(self, x: tf.Tensor) -> Iterator[tf.Tensor]:
        """What each weight of the kernel multiplies, row by row."""
        padded = tf.pad(x, [[0, 0], *self._padding(), [0, 0]])
        for row in range(self._sides[0]):
            for column in range(self._sides[1]):
                yield tf.strided_slice(
                    padded,
                    [0, row, column, 0],
                    [
                        self._shape[0],
                        row + (self._out[0] - 1) * self._strides[0] + 1,
                        column + (self._out[1] - 1) * self._strides[1] + 1,
                        self._shape[3],
                    ],
                    [1, *self._strides, 1],
                )

    def spread(self, upstream: tf.Tensor) -> tf.Tensor:
        """`upstream` at its places in the input, zeros between and around.

        A convolution with the flipped kernel then gives the gradient of what
        `parts` cut up.
        """
        spread = _with_zeros_between(upstream, self._strides)
        around = [[side - 1, side - 1] for side in self._sides]
        return tf.pad(spread, [[0, 0], *around, [0, 0]])

    def cropped(self, gradient: tf.Tensor) -> tf.Tensor:
        """The part of a gradient, as large as the reach, that is input's."""
        batch, height, width, channels = self._shape
        behind = [
            max(before + size - reach, 0)
            for before, size, reach in zip(
                self._before, (height, width), self._reach, strict=True
            )
        ]
        filled = tf.pad(
            gradient, [[0, 0], *([0, amount] for amount in behind), [0, 0]]
        )
        return tf.slice(
            filled, [0, *self._before, 0], [batch, height, width, channels]
        )

    def _padding(self) -> list[list[int]]:
        return [
            [before, max(reach - size - before, 0)]
            for before, reach, size in zip(
                self._before, self._reach, self._shape[1:3], strict=True
            )
        ]


def _with_zeros_between(x: tf.Tensor, strides: list[int]) -> tf.Tensor:
    """Each row and column followed by stride - 1 of zeros, less the last.

    In two steps, because LiteRT pads at most five dimensions.
    """
    batch, height, width, channels = x.shape.as_list()
    down, across = strides
    columns = tf.pad(
        tf.reshape(x, [batch * height, width, 1, channels]),
        [[0, 0], [0, 0], [0, across - 1], [0, 0]],
    )
    line = width * across * channels
    rows = tf.pad(
        tf.reshape(columns, [batch, height, 1, line]),
        [[0, 0], [0, 0], [0, down - 1], [0, 0]],
    )
    whole = tf.reshape(rows, [batch, height * down, width * across, channels])
    return whole[:, : (height - 1) * down + 1, : (width - 1) * across + 1]


def _flat(x: tf.Tensor) -> tf.Tensor:
    return tf.reshape(x, [-1, x.shape[-1]])


def _refuse_others(operation: Any) -> None:
    dilations = list(operation.get_attr("dilations"))
    padding = operation.get_attr("padding")
    if dilations != [1, 1, 1, 1] or padding not in (b"SAME", b"VALID"):
        raise ValueError(
            "A convolution that trains on the device must have no dilation, "
            f"and padding SAME or VALID. Received: {operation.name} with "
            f"dilations {dilations} and padding {padding.decode()}."
        )


_GRADIENTS = {
    "Conv2D": _conv2d,
    "DepthwiseConv2dNative": _depthwise,
    "Relu6": _relu6,
    "BiasAdd": _bias_add,
}
for _kind, _gradient in _GRADIENTS.items():
    tf.RegisterGradient(_PREFIX + _kind)(_gradient)
