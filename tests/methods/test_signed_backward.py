"""Signed backward passes against numpy in float64."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from object_detection_patch.methods.signed_backward import (
    packed,
    signed_backward,
    unpacked,
)


def _hard_swish(x):
    return x * (tf.nn.relu6(x + 3.0) / 6.0)


_ACTIVATIONS = {
    "relu6": (tf.nn.relu6, lambda a: np.minimum(np.maximum(a, 0), 6)),
    "hard_swish": (
        _hard_swish,
        lambda a: a * np.minimum(np.maximum(a + 3, 0), 6) / 6,
    ),
}
# Both ends of both clips, both zeros, and a number of elements that is no
# multiple of eight.
_POINTS = np.array([-9, -3, -1e-300, -0.0, 0, 1e-300, 1, 3, 6, 6.5, 9.0])


@pytest.fixture(params=_ACTIVATIONS)
def activation(request):
    return _ACTIVATIONS[request.param]


@pytest.mark.parametrize("in_graph", [False, True])
def test_the_forward_is_exact_and_the_gradient_a_step(activation, in_graph):
    function, oracle = activation
    signed = signed_backward(function)
    upstream = np.random.default_rng(0).standard_normal(_POINTS.shape)

    def both(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = signed(x)
        return y, tape.gradient(y, x, output_gradients=tf.constant(upstream))

    y, gradient = (tf.function(both) if in_graph else both)(
        tf.constant(_POINTS, tf.float64)
    )
    np.testing.assert_array_equal(y, function(tf.constant(_POINTS)))
    np.testing.assert_allclose(y, oracle(_POINTS), rtol=1e-15, atol=1e-300)
    np.testing.assert_array_equal(gradient, upstream * (_POINTS >= 0))


def test_through_layers_it_is_the_rule_of_the_paper(activation):
    """y = f(x W1) W2 with loss sum(y^2), differentiated by hand."""
    function, oracle = activation
    random = np.random.default_rng(1)
    x = random.standard_normal((5, 7))
    first, second = 3 * random.standard_normal((2, 7, 7))
    before = x @ first
    after = oracle(before)
    upstream = 2 * (after @ second)
    to_second = after.T @ upstream
    to_first = x.T @ ((upstream @ second.T) * (before >= 0))

    variables = [tf.Variable(first), tf.Variable(second)]
    with tf.GradientTape() as tape:
        hidden = signed_backward(function)(tf.constant(x) @ variables[0])
        loss = tf.reduce_sum((hidden @ variables[1]) ** 2)
    for found, expected in zip(
        tape.gradient(loss, variables), (to_first, to_second), strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("dtype", [tf.float16, tf.float32, tf.float64])
def test_dtypes_and_shapes_stay(dtype):
    x = tf.cast(tf.reshape(tf.range(-15.0, 15.0), (2, 3, 5)), dtype)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = signed_backward(tf.nn.relu6)(x)
    gradient = tape.gradient(y, x)
    assert y.dtype == gradient.dtype == dtype
    assert y.shape == gradient.shape == (2, 3, 5)


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 1000])
def test_masks_are_packed_as_numpy_packs_them(count):
    mask = np.random.default_rng(count).random(count) < 0.5
    bits = packed(tf.constant(mask))
    np.testing.assert_array_equal(bits, np.packbits(mask))
    assert bits.dtype == tf.uint8
    np.testing.assert_array_equal(unpacked(bits, tf.shape(mask)), mask)


def _taken_from(forward, result):
    """Tensors of the operations `forward` that `result` is computed from."""
    taken, waiting = {}, [result]
    while waiting:
        tensor = waiting.pop()
        if tensor.op in forward:
            taken[tensor.name] = tensor
        else:
            waiting.extend(tensor.op.inputs)
    return [t for t in taken.values() if t.op.type != "Const"]


def _bytes_between_passes(function, shape):
    """Of all tensors that gradients of `function` take from its forward."""
    with tf.Graph().as_default() as graph:
        x, upstream = (
            tf.compat.v1.placeholder(tf.float32, shape) for _ in range(2)
        )
        y = function(x)
        forward = set(graph.get_operations()) - {upstream.op}
        (gradient,) = tf.gradients(y, x, grad_ys=upstream)
        taken = _taken_from(forward, gradient)
        with tf.compat.v1.Session() as session:
            values = session.run(taken, {x: np.zeros(shape, np.float32)})
    return sum(value.nbytes for value in values)


def test_a_bit_an_element_is_all_that_is_kept(activation):
    function, _ = activation
    signed = signed_backward(function)
    assert _bytes_between_passes(signed, (4, 1000)) == 4 * 1000 // 8
    assert _bytes_between_passes(function, (4, 1000)) >= 4 * 1000 * 4
