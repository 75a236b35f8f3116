"""BatchNorm ships two floats a channel, and is exact."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from object_detection_patch import hosts as hosts_lib
from object_detection_patch import methods
from object_detection_patch.keras_version import keras
from object_detection_patch.methods import base, patch_model, presets
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


# Statistics alone.


_MOMENTUM = 0.75


def _statistics_model(preset):
    layers = keras.layers
    norm = layers.BatchNormalization(name="bn", momentum=_MOMENTUM)
    model = keras.Sequential(
        [
            layers.Input((4, 4, 2)),
            layers.Conv2D(_CHANNELS, 1, use_bias=False, name="conv"),
            norm,
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, name="head"),
        ]
    )
    norm.set_weights([*_affine(0), *_statistics(1)])
    patch = patch_model.patch_model(model, preset)
    return model, norm, patch


def _fit(model, images, labels, steps):
    model.compile(
        optimizer=keras.optimizers.SGD(0.1),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    for _ in range(steps):
        model.train_on_batch(images, labels)


def test_statistics_follow_the_images_and_nothing_else_does():
    model, norm, patch = _statistics_model("BN_STATISTICS")
    random = np.random.default_rng(5)
    images = random.normal(2.0, 3.0, (8, 4, 4, 2)).astype(np.float32)
    kernel = model.get_layer("conv").kernel.numpy()[0, 0]
    head = model.get_layer("head").kernel.numpy()
    features = (images.astype(np.float64) @ kernel).reshape(-1, _CHANNELS)
    _fit(model, images, np.arange(8) % 3, steps=2)

    gamma, beta, mean, variance = norm.get_weights()
    np.testing.assert_array_equal([gamma, beta], _affine(0))
    first_mean, first_variance = _statistics(1)
    # The fused kernel divides by one less, as Bessel does.
    batch_variance = features.var(0, ddof=1)
    left = _MOMENTUM**2
    np.testing.assert_allclose(
        mean,
        left * first_mean + (1 - left) * features.mean(0),
        rtol=1e-4,
        atol=1e-4,
    )
    np.testing.assert_allclose(
        variance,
        left * first_variance + (1 - left) * batch_variance,
        rtol=1e-4,
        atol=1e-4,
    )
    np.testing.assert_array_equal(
        model.get_layer("conv").kernel.numpy()[0, 0], kernel
    )
    assert np.abs(model.get_layer("head").kernel.numpy() - head).max() > 1e-4

    # What ships, on the base's statistics, is the adapted function.
    (edit,) = (e for e in patch.edits() if isinstance(e, ScaleOffset))
    x = first_mean + np.linspace(-2, 2, 5)[:, None] * np.sqrt(first_variance)
    expected = _normalised(x, gamma, beta, mean, variance, norm.epsilon)
    found = _normalised(
        x, edit.scale, edit.offset, first_mean, first_variance, norm.epsilon
    )
    size = 2 * np.abs(edit.scale) + np.abs(edit.offset) + 1
    assert (np.abs(found - expected) <= 1e-5 * size).all()


def test_a_detached_batch_norm_trains_again_and_keeps_its_order():
    model, norm, patch = _statistics_model("BN_STATISTICS")
    names = [v.name for v in norm.weights]
    assert [v.name for v in norm.trainable_weights] == []
    patch.detach()
    assert [v.name for v in norm.weights] == names
    assert norm.trainable_weights == [norm.gamma, norm.beta]


def test_statistics_are_not_trained_on_a_grid():
    config = patch_config("BN_STATISTICS")
    config.grid.batch_norm_bits = 4
    hosts = hosts_lib.find_hosts(
        ("backbone", layer) for layer in _model().layers
    )
    with pytest.raises(
        ValueError,
        match=r"on a grid that train scale and offset. Received: "
        "AdaptedStatistics",
    ):
        methods.build(config, hosts)


# Heads that do not train.


def test_heads_keep_their_random_numbers_and_ship_them():
    model, norm, patch = _statistics_model("SCALE_BIAS_ONLY")
    head = model.get_layer("head")
    before = [v.numpy() for v in head.weights]
    assert len(model.trainable_variables) == 2
    random = np.random.default_rng(5)
    images = random.normal(2.0, 3.0, (8, 4, 4, 2)).astype(np.float32)
    _fit(model, images, np.arange(8) % 3, steps=2)

    for variable, value in zip(head.weights, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)
    assert np.abs(norm.gamma.numpy() - _affine(0)[0]).max() > 1e-4
    shipped = {e.target: e for e in patch.edits()}
    np.testing.assert_array_equal(
        shipped["class_head/head/kernel"].values, before[0]
    )


def test_what_is_written_decides_over_the_preset():
    config = patch_config("SCALE_BIAS_ONLY")
    config.freeze_heads = False
    model, _, _ = _statistics_model(config)
    assert len(model.trainable_variables) == 4
    config = patch_config("DW_PATCH")
    assert not presets.freezes_heads(config)
    config.freeze_heads = True
    assert presets.freezes_heads(config)


# Shifts alone.


def test_only_shifts_train_and_statistics_stay():
    model, norm, patch = _statistics_model("BIAS_ONLY")
    random = np.random.default_rng(5)
    images = random.normal(2.0, 3.0, (8, 4, 4, 2)).astype(np.float32)
    kernel = model.get_layer("conv").kernel.numpy()
    gamma, beta, mean, variance = norm.get_weights()
    assert {id(v) for v in model.trainable_variables} == {
        id(v) for v in (norm.beta, *model.get_layer("head").variables)
    }

    _fit(model, images, np.arange(8) % 3, steps=2)

    found = dict(zip("gbmv", norm.get_weights(), strict=True))
    np.testing.assert_array_equal(found["g"], gamma)
    np.testing.assert_array_equal(found["m"], mean)
    np.testing.assert_array_equal(found["v"], variance)
    np.testing.assert_array_equal(model.get_layer("conv").kernel, kernel)
    assert np.abs(found["b"] - beta).min() > 0
    (edit,) = [e for e in patch.edits() if isinstance(e, ScaleOffset)]
    np.testing.assert_array_equal(edit.scale, gamma)
    np.testing.assert_array_equal(edit.offset, found["b"])


def test_a_shift_gets_the_gradient_of_the_dense_layer_behind_it():
    """The mean over places passes each shift its head's row, unchanged."""
    model, norm, _ = _statistics_model("BIAS_ONLY")
    images = np.ones((1, 4, 4, 2), np.float32)
    with tf.GradientTape() as tape:
        first_class = model(images, training=True)[0, 0]
    found = tape.gradient(first_class, norm.beta)

    expected = model.get_layer("head").kernel[:, 0]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_shift_only_and_statistics_only_exclude_each_other():
    config = patch_config("BIAS_ONLY")
    config.part.add().batch_norm.statistics_only = True
    with pytest.raises(ValueError, match=r"`shift_only` or `statistics_only`"):
        methods.check(config)


def test_tasks_that_train_one_base_cannot_keep_shifts_alone():
    with pytest.raises(ValueError, match="`batch_norm`, which as written"):
        methods.check_shared(patch_config("BIAS_ONLY"))
