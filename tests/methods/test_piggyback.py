"""Piggyback's kernel against plain numpy."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from object_detection_patch.methods.piggyback import KeepMaskKernel
from object_detection_patch.patch_file import KeepMasked

_SHAPE = (3, 2, 4, 5)


def _random(seed):
    values = np.random.default_rng(seed).standard_normal(_SHAPE)
    return values.astype(np.float32)


def _layer():
    layer = KeepMaskKernel()
    layer.build(_SHAPE)
    return layer


def test_it_starts_at_the_base_bit_for_bit():
    assert _layer()(_random(0)).numpy().tobytes() == _random(0).tobytes()


def test_masked_weights_are_dropped():
    layer = _layer()
    layer.latent_mask.assign(_random(1))
    expected = np.where(_random(1) > 0, _random(0), 0.0)
    np.testing.assert_array_equal(layer(_random(0)), expected)


def test_gradient_is_that_of_the_chain_rule():
    layer, upstream = _layer(), _random(2)
    layer.latent_mask.assign(_random(1))
    kernel = tf.Variable(_random(0))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(upstream * layer(kernel))
    by_mask, by_kernel = tape.gradient(loss, [layer.latent_mask, kernel])
    sigmoid = 1.0 / (1.0 + np.exp(-_random(1).astype(np.float64)))
    expected = upstream * _random(0) * sigmoid * (1.0 - sigmoid)
    np.testing.assert_allclose(by_mask, expected, atol=1e-6)
    assert by_kernel is None


def test_one_bit_a_weight_ships(one_kernel):
    layer = _layer()
    layer.latent_mask.assign(_random(1))
    assert layer.edits(one_kernel(_random(0))) == [
        KeepMasked("backbone/conv/kernel", _random(1) > 0)
    ]
