"""Hard forward, sigmoid backward."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from object_detection_patch.methods.binarize import binarize, through_sigmoid

_LATENT = np.concatenate([np.linspace(-6, 6, 41), [1e-30, -1e-30, 1e-6, -1e-6]])


def _sigmoid(x):
    return 1.0 / (1.0 + np.exp(-np.asarray(x, np.float64)))


def _finite_difference(x, step=1e-4):
    return (_sigmoid(x + step) - _sigmoid(x - step)) / (2 * step)


def test_forward_is_a_hard_threshold():
    latent = tf.constant([-np.inf, -1.0, -1e-30, -0.0, 0.0, 1e-30, 0.4, 9.0])
    expected = [0, 0, 0, 0, 0, 1, 1, 1]
    np.testing.assert_array_equal(binarize(latent), expected)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(), (3,), (0,), (2, 1, 3)])
def test_dtype_and_shape_stay(dtype, shape):
    found = binarize(tf.ones(shape, dtype))
    assert found.dtype == dtype
    assert found.shape == shape
    np.testing.assert_array_equal(tf.cast(found, tf.float32), np.ones(shape))


def test_backward_is_the_slope_of_the_sigmoid():
    latent = tf.constant(_LATENT, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(latent)
        ones = binarize(latent)
    np.testing.assert_allclose(
        tape.gradient(ones, latent), _finite_difference(_LATENT), atol=1e-8
    )


def test_the_upstream_gradient_is_carried_through():
    latent = tf.constant(_LATENT, tf.float64)
    weights = np.random.default_rng(0).standard_normal(_LATENT.shape)
    with tf.GradientTape() as tape:
        tape.watch(latent)
        # Not linear, so that the upstream gradient depends on the forward.
        loss = tf.reduce_sum(weights * tf.exp(2.0 * binarize(latent)))
    upstream = weights * 2.0 * np.exp(2.0 * (_LATENT > 0))
    np.testing.assert_allclose(
        tape.gradient(loss, latent),
        upstream * _finite_difference(_LATENT),
        atol=1e-6,
    )


def test_both_sides_of_the_threshold_learn_alike():
    with tf.GradientTape() as tape:
        latent = tf.Variable([-0.3, 0.3])
        ones = binarize(tf.convert_to_tensor(latent))
    left, right = tape.gradient(ones, latent).numpy()
    assert left == pytest.approx(right) == pytest.approx(0.244458, abs=1e-6)


def test_far_latents_get_no_gradient_and_no_nan():
    np.testing.assert_array_equal(
        through_sigmoid(tf.constant([2.0, 3.0]), tf.constant([-500.0, 500.0])),
        [0, 0],
    )
    assert through_sigmoid(tf.constant(2.0), tf.constant(0.0)) == 0.5


def test_a_graph_does_what_eager_does():
    latent = tf.constant(_LATENT, tf.float32)

    def both(values):
        with tf.GradientTape() as tape:
            tape.watch(values)
            ones = binarize(values)
        return ones, tape.gradient(ones, values)

    for eager, graph in zip(
        both(latent), tf.function(both)(latent), strict=True
    ):
        np.testing.assert_allclose(eager, graph, rtol=1e-6)
