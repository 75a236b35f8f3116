"""SpotPatch's kernel against plain numpy, Eq. 2 to 6."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from object_detection_patch import methods
from object_detection_patch.keras_version import keras
from object_detection_patch.methods.binarize import binarize
from object_detection_patch.methods.binary_mask import (
    BinaryMaskKernel,
    add_signed,
)
from object_detection_patch.patch_file import AddSigned
from object_detection_patch.protos import patch_pb2

_SHAPE = (3, 2, 4, 5)


def _random(seed, shape=_SHAPE):
    values = np.random.default_rng(seed).standard_normal(shape)
    return values.astype(np.float32)


def _slope(x):
    value = 1.0 / (1.0 + np.exp(-np.asarray(x, np.float64)))
    return value * (1.0 - value)


def _layer(*, gate=0.4, scale=0.3, **options):
    layer = BinaryMaskKernel(**options)
    layer.build(_SHAPE)
    layer.latent_mask.assign(_random(1))
    layer.residual_scale.assign(scale)
    layer.latent_gate.assign(gate / layer.gate_rate)
    return layer


# Forward.


@pytest.mark.parametrize("scale", [0.3, -0.3, 0.0])
def test_an_open_gate_adds_the_signed_scale(scale):
    kernel, mask = _random(0), _random(1) > 0
    expected = kernel + np.float32(scale) * (1.0 - 2.0 * mask)
    found = _layer(scale=scale)(kernel)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)
    assert {True, False} == set(mask.flatten())


@pytest.mark.parametrize("gate", [0.0, -0.01, -50.0])
def test_a_closed_gate_leaves_the_base_bit_for_bit(gate):
    kernel = _random(0)
    # TensorFlow takes denormal numbers for 0; this is the smallest normal one.
    kernel[0, 0, 0, :2] = [0.0, np.finfo(np.float32).tiny]
    found = _layer(gate=gate)(kernel).numpy()
    assert found.tobytes() == kernel.tobytes()


def test_a_latent_of_zero_is_no_mask():
    layer = _layer(scale=0.25)
    layer.latent_mask.assign(np.zeros(_SHAPE))
    np.testing.assert_array_equal(layer(np.zeros(_SHAPE, "f4")), 0.25)


# Gradients.


def _gradients(layer, kernel, upstream):
    kernel = tf.Variable(kernel)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(upstream * layer(kernel))
    watched = [
        layer.latent_mask,
        layer.residual_scale,
        layer.latent_gate,
        kernel,
    ]
    return tape.gradient(loss, watched)


@pytest.mark.parametrize("gate", [0.4, -0.4])
def test_gradients_are_those_of_the_chain_rule(gate):
    """d loss, loss = sum u W', W' = W + g w (1 - 2 M), by hand."""
    scale, rate = 0.3, 0.125
    upstream = _random(2)
    latent = _random(1)
    open_ = float(gate > 0)
    signs = 1.0 - 2.0 * (latent > 0)

    by_mask, by_scale, by_gate, by_kernel = _gradients(
        _layer(gate=gate, scale=scale, gate_rate=rate), _random(0), upstream
    )
    np.testing.assert_allclose(
        by_mask, -2.0 * open_ * scale * upstream * _slope(latent), atol=1e-6
    )
    total = np.sum(upstream * signs, dtype=np.float64)
    assert by_scale.numpy() == pytest.approx(open_ * total, abs=1e-5)
    assert by_gate.numpy() == pytest.approx(
        scale * total * _slope(gate) * rate, rel=1e-5
    )
    assert by_kernel is None


def test_a_closed_gate_still_learns():
    _, by_scale, by_gate, _ = _gradients(
        _layer(gate=-0.4), _random(0), _random(2)
    )
    assert by_scale.numpy() == 0
    assert abs(by_gate.numpy()) > 1e-3


def test_the_fused_rule_is_the_chain_through_binarize():
    kernel, upstream = tf.constant(_random(0)), _random(2)
    latent = tf.Variable(_random(1))
    scale = tf.Variable(0.3)

    def chain():
        mask = binarize(tf.convert_to_tensor(latent))
        return kernel + scale * (1.0 - 2.0 * mask)

    def fused():
        return add_signed(
            kernel, tf.convert_to_tensor(latent), tf.convert_to_tensor(scale)
        )

    found = []
    for function in (chain, fused):
        with tf.GradientTape() as tape:
            # Not linear, so that forward values matter.
            loss = tf.reduce_sum(upstream * tf.sin(function()))
        found.append([loss, *tape.gradient(loss, [latent, scale])])
    for expected, got in zip(*found, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)


# Penalties, Eq. 6.


def test_penalties_by_hand():
    layer = _layer(gate=0.4, scale=-0.3, lambda_sps=0.5, lambda_adp=2.0)
    found = {name: term.numpy() for name, term in layer.penalties().items()}
    assert found == pytest.approx({"sparsity": 0.5, "adaptation": 0.18})
    layer.latent_gate.assign(-1.0)
    assert layer.penalties()["sparsity"] == 0
    assert layer.penalties()["adaptation"].numpy() == pytest.approx(0.18)


def test_penalties_have_the_gradients_of_gate_and_scale():
    layer = _layer(gate=-0.2, scale=-0.3, lambda_sps=0.5, lambda_adp=2.0)
    with tf.GradientTape() as tape:
        total = tf.add_n(list(layer.penalties().values()))
    by_gate, by_scale, by_mask = tape.gradient(
        total, [layer.latent_gate, layer.residual_scale, layer.latent_mask]
    )
    assert by_gate.numpy() == pytest.approx(0.5 * _slope(-0.2) * 0.1, rel=1e-5)
    assert by_scale.numpy() == pytest.approx(2.0 * 2.0 * -0.3)
    assert by_mask is None


def test_the_penalties_of_a_model_are_sums_over_its_kernels(make_patched):
    """lambda_sps sum g + lambda_adp sum w^2 over the five kernels."""
    config = patch_pb2.Patch()
    options = config.part.add().binary_mask
    options.lambda_sps, options.lambda_adp = 0.5, 2.0
    patch = make_patched(config).patch
    layers = list(patch.host_patches.values())
    assert len(layers) == 5
    for number, layer in enumerate(layers):
        layer.residual_scale.assign(number)
        layer.latent_gate.assign(-1.0 if number < 2 else 1.0)
    found = {name: term.numpy() for name, term in patch.penalties().items()}
    assert found == {"sparsity": 0.5 * 3, "adaptation": 2.0 * 30}


def test_gates_may_count_their_bytes(make_patched):
    """Weights over the mean of all kernels, so all open count as before."""
    config = patch_pb2.Patch()
    options = config.part.add().binary_mask
    options.lambda_sps = 0.5
    options.sparsity_unit = patch_pb2.BinaryMask.BYTES
    patch = make_patched(config).patch
    layers = patch.host_patches
    assert float(patch.penalties()["sparsity"]) == pytest.approx(0.5 * 5)
    sizes = {host.name: host.size for host in patch.hosts.kernels}
    assert len(set(sizes.values())) > 1
    for name, layer in layers.items():
        layer.latent_gate.assign(-1.0)
        still = [s for n, s in sizes.items() if layers[n].latent_gate > 0]
        assert float(patch.penalties()["sparsity"]) == pytest.approx(
            0.5 * 5 * sum(still) / sum(sizes.values()), abs=1e-6
        ), name


def test_penalties_of_many_kernels_at_once_are_those_of_each():
    layers = [
        _layer(gate=0.4, scale=-0.3, lambda_sps=0.5, lambda_adp=2.0),
        _layer(gate=-0.2, scale=0.7, lambda_sps=3.0, lambda_adp=0.25),
        _layer(gate=0.1, scale=0.1, gate_rate=0.5),
    ]
    variables = [
        variable
        for layer in layers
        for variable in (layer.latent_gate, layer.residual_scale)
    ]

    def one_by_one():
        each = [layer.penalties() for layer in layers]
        return {name: tf.add_n([p[name] for p in each]) for name in each[0]}

    found = []
    for function in (
        one_by_one,
        lambda: type(layers[0]).summed_penalties(layers),
    ):
        with tf.GradientTape() as tape:
            penalties = function()
            loss = tf.exp(penalties["sparsity"]) * penalties["adaptation"]
        found.append(
            [
                penalties["sparsity"],
                penalties["adaptation"],
                *tape.gradient(loss, variables),
            ]
        )
    for expected, got in zip(*found, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-5)
        assert abs(expected.numpy()) > 0


# The gate's rate.


def _gate_after(optimizer, rate):
    """f after one step on the penalty of an open gate, and its gradient."""
    layer = _layer(gate=0.1, lambda_sps=4.0, gate_rate=rate)
    with tf.GradientTape() as tape:
        loss = layer.penalties()["sparsity"]
    gradient = tape.gradient(loss, layer.latent_gate)
    optimizer.apply_gradients([(gradient, layer.latent_gate)])
    return rate * layer.latent_gate.numpy()


@pytest.mark.parametrize("rate", [1.0, 0.5, 0.1])
def test_one_sgd_step_moves_the_gate_by_the_square_of_its_rate(rate):
    """f = rate v: v moves by lr dL/df rate, f by rate times that."""
    step = 0.01 * 4.0 * _slope(0.1) * rate**2
    found = _gate_after(keras.optimizers.SGD(0.01), rate)
    assert found == pytest.approx(0.1 - step, abs=1e-7)


@pytest.mark.parametrize("rate", [1.0, 0.5, 0.1])
def test_one_adam_step_moves_the_gate_by_its_rate(rate):
    """Adam's first step is the learning rate, whatever the gradient."""
    found = _gate_after(keras.optimizers.Adam(0.01), rate)
    assert found == pytest.approx(0.1 - 0.01 * rate, abs=1e-6)


# Initial values.


def test_initial_values(one_kernel):
    host = one_kernel(3.0 + 0.5 * _random(5))
    config = patch_pb2.Patch()
    options = config.part.add().binary_mask
    options.latent_range, options.initial_scale = 0.25, 0.5
    options.initial_gate, options.gate_rate = 0.75, 0.125
    part = methods.part_class("binary_mask")(options)
    layer = part.attach(host)
    assert layer.residual_scale.numpy() == 0
    layer.initialise(host)

    deviation = np.std(host.variable.numpy().astype(np.float64))
    assert layer.residual_scale.numpy() == pytest.approx(0.5 * deviation)
    assert layer.latent_gate.numpy() == 0.75 / 0.125
    assert layer.gate_is_open()
    latent = layer.latent_mask.numpy()
    assert latent.shape == _SHAPE
    assert np.abs(latent).max() <= 0.25
    assert latent.min() < -0.1 and latent.max() > 0.1


@pytest.mark.parametrize("value", [1.0, 0.25])
def test_a_gate_may_start_as_high_as_1(value):
    config = patch_pb2.Patch()
    config.part.add().binary_mask.initial_gate = value
    methods.check(config)


def test_a_gate_that_starts_above_1_is_refused():
    config = patch_pb2.Patch()
    config.part.add().binary_mask.initial_gate = 1.5
    with pytest.raises(
        ValueError,
        match=r"^`binary_mask\.initial_gate` must be > 0, <= 1 and finite\. "
        r"Received: 1\.5 \(pipeline\.config",
    ):
        methods.check(config)


# What ships.


def test_an_open_gate_ships_one_bit_a_weight_and_one_float(one_kernel):
    host = one_kernel(_random(0))
    layer = _layer(scale=-0.3)
    assert layer.edits(host) == [
        AddSigned("backbone/conv/kernel", _random(1) > 0, -0.3)
    ]


def test_a_closed_gate_ships_nothing(one_kernel):
    host = one_kernel(_random(0))
    layer = _layer(gate=-0.4)
    assert layer.edits(host) == []
    assert len(layer.edits_if_open(host)) == 1


def test_a_scale_of_zero_ships_nothing(one_kernel):
    """A file refuses it; the standard deviation of one weight is 0."""
    host = one_kernel(np.ones((1, 1, 1, 1)))
    layer = BinaryMaskKernel()
    layer.build((1, 1, 1, 1))
    layer.initialise(host)
    assert layer.gate_is_open()
    assert layer.residual_scale.numpy() == 0
    assert layer.edits(host) == []


def test_gates_of_a_model(make_patched, images):
    """Closing some gates drops their edits and restores their kernels."""
    config = patch_pb2.Patch()
    config.part.add().binary_mask.SetInParent()
    found = make_patched(config)
    closed = [
        "backbone/dw/depthwise_kernel",
        "tower/tower_conv/pointwise_kernel",
    ]
    before = found.model(images, training=False).numpy()
    for name in closed:
        found.patch.host_patches[name].latent_gate.assign(-1.0)

    states = {
        s.host: (s.is_open, s.place, s.weights) for s in found.patch.gates()
    }
    assert states == {
        "backbone/stem/kernel": (True, "backbone", 135),
        "backbone/dw/depthwise_kernel": (False, "backbone", 20),
        "backbone/pw/kernel": (True, "backbone", 30),
        "tower/tower_conv/depthwise_kernel": (True, "tower", 24),
        "tower/tower_conv/pointwise_kernel": (False, "tower", 24),
    }
    tensors = found.patch.gate_tensors()
    assert {k: float(v) for k, v in tensors.items()} == {
        name: float(state[0]) for name, state in states.items()
    }
    shipped = [e.target for e in found.patch.edits()]
    open_ = [name for name in states if name not in closed]
    heads = ["class_head/head/kernel", "class_head/head/bias"]
    assert shipped == open_ + heads
    assert [e.target for e in found.patch.edits(gates="closed")] == heads
    everything = [e.target for e in found.patch.edits(gates="open")]
    assert everything == list(states) + heads
    for host in found.hosts.kernels:
        effective = tf.convert_to_tensor(getattr(host.layer, host.attribute))
        same = np.array_equal(effective, host.variable.numpy())
        assert same == (host.name in closed)
    assert np.abs(found.model(images, training=False) - before).max() > 1e-4
