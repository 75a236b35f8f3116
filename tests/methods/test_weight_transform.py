"""WeightTrans' kernel against plain numpy."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from object_detection_patch.methods.weight_transform import AffineMaskKernel
from object_detection_patch.patch_file import AffineMask

_SHAPE = (3, 2, 4, 5)


def _random(seed):
    values = np.random.default_rng(seed).standard_normal(_SHAPE)
    return values.astype(np.float32)


def _slope(x):
    value = 1.0 / (1.0 + np.exp(-np.asarray(x, np.float64)))
    return value * (1.0 - value)


def _layer(k0, k1, k2):
    layer = AffineMaskKernel()
    layer.build(_SHAPE)
    layer.latent_mask.assign(_random(1))
    for variable, value in zip(
        (layer.k0, layer.k1, layer.k2), (k0, k1, k2), strict=True
    ):
        variable.assign(value)
    return layer


def test_forward():
    expected = 0.5 * _random(0) + 0.25 - 2.0 * (_random(1) > 0)
    found = _layer(0.5, 0.25, -2.0)(_random(0))
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


def test_gradients_are_those_of_the_chain_rule():
    layer, upstream = _layer(0.5, 0.25, -2.0), _random(2)
    kernel = tf.Variable(_random(0))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(upstream * layer(kernel))
    by_k0, by_k1, by_k2, by_mask, by_kernel = tape.gradient(
        loss, [layer.k0, layer.k1, layer.k2, layer.latent_mask, kernel]
    )
    mask = _random(1) > 0
    assert by_k0.numpy() == pytest.approx(np.sum(upstream * _random(0)), 1e-4)
    assert by_k1.numpy() == pytest.approx(np.sum(upstream), 1e-4)
    assert by_k2.numpy() == pytest.approx(np.sum(upstream * mask), 1e-4)
    np.testing.assert_allclose(
        by_mask, -2.0 * upstream * _slope(_random(1)), atol=1e-5
    )
    assert by_kernel is None


def test_it_starts_as_the_sign_residual(one_kernel):
    """k0 = 1, k1 = s, k2 = -2 s is W + s (1 - 2 M)."""
    host = one_kernel(3.0 + 0.5 * _random(5))
    layer = AffineMaskKernel(latent_range=0.25, initial_scale=0.5)
    layer.build(_SHAPE)
    layer.initialise(host)

    scale = 0.5 * np.std(host.variable.numpy().astype(np.float64))
    found = [float(v.numpy()) for v in (layer.k0, layer.k1, layer.k2)]
    assert found == pytest.approx([1.0, scale, -2.0 * scale])
    latent = tf.convert_to_tensor(layer.latent_mask)
    assert 0.1 < np.abs(latent).max() <= 0.25
    kernel = host.variable.numpy()
    signs = 1.0 - 2.0 * (latent.numpy() > 0)
    np.testing.assert_allclose(
        layer(host.variable), kernel + scale * signs, rtol=1e-5, atol=1e-6
    )


def test_one_bit_a_weight_and_three_floats_ship(one_kernel):
    (edit,) = _layer(0.5, 0.25, -2.0).edits(one_kernel(_random(0)))
    assert edit == AffineMask(
        "backbone/conv/kernel", _random(1) > 0, 0.5, 0.25, -2.0
    )
