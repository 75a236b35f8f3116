"""BatchNorm ships two floats a channel, and is exact."""

from __future__ import annotations

import numpy as np
import pytest

from object_detection_patch import hosts as hosts_lib
from object_detection_patch import methods
from object_detection_patch.keras_version import keras
from object_detection_patch.methods import base
from object_detection_patch.methods.presets import patch_config
from object_detection_patch.patch_file import ScaleOffset

_CHANNELS = 64


def _statistics(seed):
    random = np.random.default_rng(seed)
    mean = 3.0 * random.standard_normal(_CHANNELS)
    variance = 10.0 ** random.uniform(-6, 3, _CHANNELS)
    return mean.astype(np.float32), variance.astype(np.float32)


def _affine(seed):
    random = np.random.default_rng(seed)
    gamma = random.standard_normal(_CHANNELS).astype(np.float32)
    gamma[:4] = [0.0, 1e-20, -1e-20, -5.0]
    return gamma, random.standard_normal(_CHANNELS).astype(np.float32)


def _normalised(x, gamma, beta, mean, variance, epsilon):
    gamma, beta, mean, variance = (
        np.asarray(v, np.float64) for v in (gamma, beta, mean, variance)
    )
    return gamma * (x - mean) / np.sqrt(variance + epsilon) + beta


@pytest.mark.parametrize("epsilon", [1e-3, 1e-5, 1e-2])
def test_folded_numbers_on_the_base_statistics_are_the_same_function(epsilon):
    gamma, beta = _affine(0)
    mean, variance = _statistics(1)
    base_mean, base_variance = _statistics(2)
    scale, offset = base.fold_batch_norm(
        gamma=gamma,
        beta=beta,
        mean=mean,
        variance=variance,
        base_mean=base_mean,
        base_variance=base_variance,
        epsilon=epsilon,
    )
    assert scale.dtype == offset.dtype == np.float32
    # Inputs where the two rounded numbers cannot cancel each other.
    deviation = np.sqrt(base_variance + epsilon)
    x = base_mean + np.linspace(-2, 2, 9)[:, None] * deviation
    expected = _normalised(x, gamma, beta, mean, variance, epsilon)
    found = _normalised(x, scale, offset, base_mean, base_variance, epsilon)
    size = np.abs(scale) * 2 + np.abs(offset) + 1
    assert (np.abs(found - expected) <= 1e-6 * size).all()
    assert scale[0] == 0
    assert offset[0] == pytest.approx(beta[0])
    assert (np.sign(scale) == np.sign(gamma)).all()


def test_an_untrained_batch_norm_folds_to_itself():
    gamma, beta = _affine(0)
    mean, variance = _statistics(1)
    scale, offset = base.fold_batch_norm(
        gamma=gamma,
        beta=beta,
        mean=mean,
        variance=variance,
        base_mean=mean,
        base_variance=variance,
        epsilon=1e-3,
    )
    np.testing.assert_array_equal(scale, gamma)
    np.testing.assert_allclose(offset, beta, rtol=1e-6, atol=1e-6)


def _layer(seed):
    layer = keras.layers.BatchNormalization(name="bn", epsilon=2e-3)
    layer.build((None, 4, 4, _CHANNELS))
    layer.set_weights([*_affine(seed), *_statistics(seed + 1)])
    return layer


def test_a_whole_layer():
    """Adapted layer = base layer with the shipped gamma and beta."""
    adapted, plain = _layer(0), _layer(0)
    (host,) = hosts_lib.find_hosts([("fpn", adapted)]).batch_norms
    patch = base.attach_trained(host)
    patch.initialise(host)
    gamma, beta = _affine(8)
    mean, variance = adapted.get_weights()[2:]
    adapted.set_weights([gamma, beta, mean + 0.5, variance * 1.5])

    (edit,) = patch.edits(host)
    assert isinstance(edit, ScaleOffset)
    assert edit.target == "fpn/bn"
    assert edit.scale.size + edit.offset.size == 2 * _CHANNELS
    plain.gamma.assign(edit.scale)
    plain.beta.assign(edit.offset)
    random = np.random.default_rng(3)
    noise = random.standard_normal((2, 4, 4, _CHANNELS))
    x = (mean + noise * np.sqrt(variance)).astype(np.float32)
    expected = adapted(x, training=False).numpy()
    np.testing.assert_allclose(
        plain(x, training=False), expected, rtol=1e-5, atol=1e-5
    )
    assert np.abs(_layer(0)(x, training=False) - expected).max() > 0.1


def test_in_place_are_gamma_and_beta_not_the_statistics():
    (host,) = hosts_lib.find_hosts([("fpn", _layer(0))]).batch_norms
    patch = base.attach_trained(host)
    moving = patch.trained_in_place(host)
    assert [id(v) for v in moving] == [
        id(host.layer.gamma),
        id(host.layer.beta),
    ]
    assert patch.trainable_weights == []


def _model(**options):
    inputs = keras.Input((6, 6, 3))
    outputs = keras.layers.Conv2D(2, 3, name="conv")(inputs)
    outputs = keras.layers.BatchNormalization(name="bare", **options)(outputs)
    return keras.Model(inputs, outputs)


@pytest.mark.parametrize("preset", ["BN_PATCH", "SPOTPATCH", "FINE_TUNING"])
@pytest.mark.parametrize(
    ("options", "missing"),
    [({"scale": False}, "gamma"), ({"center": False}, "beta")],
)
def test_a_batch_norm_that_cannot_be_folded_is_refused(
    preset, options, missing
):
    hosts = hosts_lib.find_hosts(
        ("backbone", layer) for layer in _model(**options).layers
    )
    with pytest.raises(
        ValueError,
        match=rf"needs gamma and beta.*backbone/bare without {missing}\.$",
    ):
        methods.build(patch_config(preset), hosts)


def test_a_batch_norm_outside_the_patch_may_lack_gamma():
    hosts = hosts_lib.find_hosts(
        ("backbone", layer) for layer in _model(scale=False).layers
    )
    patch = methods.build(patch_config("PIGGYBACK"), hosts)
    assert list(patch.host_patches) == ["backbone/conv/kernel"]
