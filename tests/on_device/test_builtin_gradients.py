"""Gradients of builtin operations against TensorFlow's own, and in LiteRT."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from object_detection_patch.on_device import export
from object_detection_patch.on_device.builtin_gradients import (
    builtin_gradients,
)

_SEED = 11


def _values(*shape):
    random = np.random.default_rng(_SEED + len(shape) + shape[-1])
    return tf.constant(random.standard_normal(shape), tf.float32)


def _both(forward, *inputs):
    """(ours, TensorFlow's): gradients of a random sum of the outputs."""

    def of(x):
        y = forward(*x)
        return tf.gradients(y * _values(*y.shape.as_list()), x)

    @tf.function
    def ours(*x):
        with builtin_gradients():
            return of(x)

    @tf.function
    def its_own(*x):
        return of(x)

    return ours, its_own, inputs


def _compare(ours, its_own, inputs):
    for found, expected in zip(ours(*inputs), its_own(*inputs), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


_CASES = [
    (side, stride, padding, size)
    for side in (1, 3, 5)
    for stride in (1, 2)
    for padding in ("SAME", "VALID")
    for size in ((7, 7), (8, 10))
]


@pytest.mark.parametrize(("side", "stride", "padding", "size"), _CASES)
def test_convolutions(side, stride, padding, size):
    def forward(x, kernel):
        return tf.nn.conv2d(x, kernel, stride, padding)

    _compare(*_both(forward, _values(2, *size, 3), _values(side, side, 3, 4)))


@pytest.mark.parametrize(("side", "stride", "padding", "size"), _CASES)
def test_depthwise_convolutions(side, stride, padding, size):
    def forward(x, kernel):
        strides = [1, stride, stride, 1]
        return tf.nn.depthwise_conv2d(x, kernel, strides, padding)

    _compare(*_both(forward, _values(2, *size, 3), _values(side, side, 3, 1)))


def test_an_input_that_is_not_read_to_its_end():
    """Of 8 columns a kernel of 3 in steps of 3 reads 6."""

    def forward(x, kernel):
        return tf.nn.conv2d(x, kernel, [2, 3], "VALID")

    _compare(*_both(forward, _values(1, 6, 8, 2), _values(3, 3, 2, 2)))


def test_relu6_and_bias():
    def forward(x, bias):
        return tf.nn.relu6(3 * tf.nn.bias_add(x, bias))

    _compare(*_both(forward, _values(4, 5, 6, 3), _values(3)))


@pytest.mark.parametrize("multiplier", [2, 3])
def test_a_depthwise_multiplier_is_refused(multiplier):
    def forward(x, kernel):
        return tf.nn.depthwise_conv2d(x, kernel, [1, 1, 1, 1], "SAME")

    ours, _, inputs = _both(
        forward, _values(1, 4, 4, 2), _values(3, 3, 2, multiplier)
    )
    with pytest.raises(ValueError, match=f"Received: .* with {multiplier}"):
        ours(*inputs)


def test_dilation_is_refused():
    def forward(x, kernel):
        return tf.nn.conv2d(x, kernel, 1, "SAME", dilations=2)

    ours, _, inputs = _both(forward, _values(1, 8, 8, 2), _values(3, 3, 2, 2))
    with pytest.raises(ValueError, match="must have no dilation"):
        ours(*inputs)


def _network(x, wide, depthwise, narrow, bias):
    y = tf.nn.relu6(tf.nn.bias_add(tf.nn.conv2d(x, wide, 2, "SAME"), bias))
    y = tf.nn.depthwise_conv2d(y, depthwise, [1, 2, 2, 1], "SAME")
    return tf.nn.conv2d(y, narrow, 1, "SAME")


def _gradients_of_the_network():
    return _both(
        _network,
        _values(2, 9, 9, 3),
        _values(3, 3, 3, 8),
        _values(3, 3, 8, 1),
        _values(1, 1, 8, 4),
        _values(8),
    )


def _converted(function, inputs, *others):
    concrete = function.get_concrete_function(
        *(tf.TensorSpec(x.shape) for x in inputs)
    )
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [concrete], function
    )
    converter.target_spec.supported_ops = [
        *(tf.lite.OpsSet.TFLITE_BUILTINS, *others)
    ]
    return converter.convert()


def test_tensorflow_s_own_are_not_in_litert():
    _, its_own, inputs = _gradients_of_the_network()
    data = _converted(its_own, inputs, tf.lite.OpsSet.SELECT_TF_OPS)
    with pytest.raises(export.MissingOperationError) as error:
        export.refuse_missing(export.operations_of(data))
    for kind in ("Conv2DBackpropFilter", "DepthwiseConv2dNativeBackpropInput"):
        assert f"Flex{kind}" in str(error.value)


def test_litert_computes_the_same():
    from ai_edge_litert import interpreter as litert

    ours, its_own, inputs = _gradients_of_the_network()
    interpreter = litert.Interpreter(model_content=_converted(ours, inputs))
    interpreter.allocate_tensors()
    details = interpreter.get_input_details()
    for detail, value in zip(details, inputs, strict=True):
        interpreter.set_tensor(detail["index"], value.numpy())
    interpreter.invoke()
    found = [
        interpreter.get_tensor(detail["index"])
        for detail in interpreter.get_output_details()
    ]
    expected = its_own(*inputs)
    by_size = {array.size: array for array in found}
    assert len(by_size) == len(expected)
    for array in expected:
        np.testing.assert_allclose(
            by_size[int(tf.size(array))], array, rtol=1e-3, atol=1e-3
        )
