"""BatchNorm on the batch's statistics against numpy, tape and tf_keras."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from object_detection_patch.keras_version import keras
from object_detection_patch.on_device import batch_norm

_EPSILON = 1e-3


def _random(*shape):
    return np.random.default_rng(sum(shape)).standard_normal(shape)


def test_values_are_those_of_the_paper():
    x, gamma, beta = _random(3, 4, 5, 2), _random(2), _random(2) + 1
    y, mean, variance = batch_norm.normalised(
        tf.constant(x), tf.constant(gamma), tf.constant(beta), _EPSILON
    )
    np.testing.assert_allclose(mean, x.mean((0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(variance, x.var((0, 1, 2)), rtol=1e-12)
    unit = (x - x.mean((0, 1, 2))) / np.sqrt(x.var((0, 1, 2)) + _EPSILON)
    np.testing.assert_allclose(y, gamma * unit + beta, rtol=1e-9, atol=1e-12)


def test_gradients_are_those_of_its_parts():
    inputs = [tf.constant(v) for v in (_random(3, 4, 5, 2), _random(2))]
    inputs.append(tf.constant(_random(2) + 1))
    upstream = tf.constant(_random(2, 5, 4, 3).reshape(3, 4, 5, 2))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(inputs)
        x, gamma, beta = inputs
        ours = batch_norm.normalised(x, gamma, beta, _EPSILON)[0]
        mean, variance = tf.nn.moments(x, [0, 1, 2])
        unit = (x - mean) / tf.sqrt(variance + _EPSILON)
        parts = gamma * unit + beta
    for found, expected in zip(
        tape.gradient(ours, inputs, upstream),
        tape.gradient(parts, inputs, upstream),
        strict=True,
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-11)


@pytest.fixture
def layer():
    made = keras.layers.BatchNormalization(momentum=0.75)
    made.build((None, 6, 5, 3))
    for variable in made.variables:
        variable.assign(np.abs(_random(*variable.shape)) + 0.5)
    return made


def test_a_layer_gives_what_it_gave_and_its_next_statistics(layer):
    x = tf.constant(_random(4, 6, 5, 3), tf.float32)
    before = [variable.numpy() for variable in layer.variables]
    with batch_norm.normalising_by_batch([layer]) as updates:
        ours = layer(x)
    for variable, value in zip(layer.variables, before, strict=True):
        np.testing.assert_array_equal(variable, value)
    its_own = layer(x, training=True)
    np.testing.assert_allclose(ours, its_own, rtol=1e-4, atol=1e-5)
    assert [v.name for v, _ in updates] == [
        layer.moving_mean.name,
        layer.moving_variance.name,
    ]
    for variable, value in updates:
        np.testing.assert_allclose(value, variable, rtol=1e-5)


def test_the_layer_is_its_own_again_after_an_error(layer):
    with (
        pytest.raises(RuntimeError),
        batch_norm.normalising_by_batch([layer]),
    ):
        raise RuntimeError
    assert "call" not in vars(layer)
