"""Choices against plain numpy, and the network's shapes."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from object_detection_patch.methods.policy import PolicyNetwork, choose, gumbel

_LOGITS = np.float32([[[0.3, -1.2], [0.1, 0.4]], [[2.0, 2.5], [-1.0, -3.0]]])
_NOISE = np.float32([[[0.5, 2.5], [1.0, 0.2]], [[0.0, -2.0], [0.3, 3.0]]])


def _softmax(values, temperature):
    powers = np.exp(values.astype(np.float64) / temperature)
    return powers / powers.sum(-1, keepdims=True)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 5.0])
def test_hard_choices_are_the_arg_max(temperature):
    found = choose(_LOGITS, _NOISE, temperature=temperature, hard=True)

    expected = np.argmax(_LOGITS + _NOISE, axis=-1)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert set(expected.ravel()) == {0, 1}


@pytest.mark.parametrize("temperature", [0.3, 1.0, 5.0])
def test_soft_choices_are_the_softmax(temperature):
    found = choose(_LOGITS, _NOISE, temperature=temperature, hard=False)

    expected = _softmax(_LOGITS + _NOISE, temperature)[..., 1]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 5.0])
def test_the_gradient_is_the_soft_one(temperature):
    logits = tf.constant(_LOGITS)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        taken = choose(logits, _NOISE, temperature=temperature, hard=True)
        total = tf.reduce_sum(taken)

    share = _softmax(_LOGITS + _NOISE, temperature)
    slope = share[..., 1] * share[..., 0] / temperature
    expected = np.stack([-slope, slope], axis=-1)
    np.testing.assert_allclose(
        tape.gradient(total, logits), expected, rtol=1e-4, atol=1e-7
    )


def test_noise_picks_as_often_as_the_softmax_says():
    tf.random.set_seed(3)
    logits = tf.constant([[[0.0, 1.0]]]) * tf.ones([20_000, 1, 1])
    taken = choose(logits, gumbel(tf.shape(logits)), temperature=1.0, hard=True)

    expected = 1.0 / (1.0 + np.exp(-1.0))
    deviation = np.sqrt(expected * (1 - expected) / 20_000)
    assert abs(float(tf.reduce_mean(taken)) - expected) < 5 * deviation


def test_noise_is_finite_and_has_the_mean_of_a_gumbel():
    tf.random.set_seed(4)
    noise = gumbel(tf.constant([100_000])).numpy()

    assert np.isfinite(noise).all()
    assert abs(noise.mean() - np.euler_gamma) < 0.03


@pytest.mark.parametrize("blocks", [1, 3])
def test_a_policy_begins_undecided(blocks):
    policy = PolicyNetwork(decisions=5, blocks=blocks, channels=4)
    images = tf.random.uniform([2, 24, 40, 3])

    np.testing.assert_array_equal(policy(images), np.zeros([2, 5, 2]))
    sizes = [weight.shape.num_elements() for weight in policy.weights]
    convolutions = 3 * 9 * 4
    norms = 4 * 4
    width = 4
    for number in range(blocks):
        into, width = width, 4 * 2**number
        convolutions += into * width * 9 + width * width * 9 + into * width
        norms += 3 * 4 * width
    assert sum(sizes) == convolutions + norms + width * 10 + 10
