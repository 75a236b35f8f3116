"""Kernels rounded as an int8 model rounds them, while they are trained."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from object_detection_patch import hosts as hosts_lib
from object_detection_patch import methods
from object_detection_patch.keras_version import keras
from object_detection_patch.methods import fake_quantize
from object_detection_patch.protos import patch_pb2

_RANDOM = np.random.default_rng(0)


def _host(kind):
    return hosts_lib.HostKernel(
        "x/k", hosts_lib.BACKBONE, kind, None, "k", None
    )


def _rounded(channel, bits):
    """One channel's numbers, by a plain loop."""
    greatest = max(abs(number) for number in channel)
    if greatest == 0:
        return [0.0] * len(channel)
    scale = greatest / (2 ** (bits - 1) - 1)
    return [round(number / scale) * scale for number in channel]


@pytest.mark.parametrize("bits", [2, 5, 8])
def test_a_convolution_has_a_scale_for_each_output(bits):
    kernel = _RANDOM.standard_normal((2, 3, 4, 5)).astype(np.float32)
    kernel[..., 3] = 0
    found = fake_quantize.FakeQuantizer(bits)(
        tf.constant(kernel), _host(hosts_lib.CONVOLUTION)
    ).numpy()
    for channel in range(5):
        np.testing.assert_allclose(
            found[..., channel].ravel(),
            _rounded(kernel[..., channel].ravel().tolist(), bits),
            rtol=1e-5,
            atol=1e-7,
        )


def test_a_depthwise_kernel_has_a_scale_for_each_channel():
    kernel = _RANDOM.standard_normal((3, 3, 4, 2)).astype(np.float32)
    found = fake_quantize.FakeQuantizer(8)(
        tf.constant(kernel), _host(hosts_lib.DEPTHWISE)
    ).numpy()
    for row, column in np.ndindex(4, 2):
        np.testing.assert_allclose(
            found[:, :, row, column].ravel(),
            _rounded(kernel[:, :, row, column].ravel().tolist(), 8),
            rtol=1e-5,
            atol=1e-7,
        )


def test_the_gradient_is_that_of_the_identity():
    kernel = tf.Variable(_RANDOM.standard_normal((1, 1, 3, 4)))
    weights = _RANDOM.standard_normal((1, 1, 3, 4))
    quantize = fake_quantize.FakeQuantizer(3)
    with tf.GradientTape() as tape:
        rounded = quantize(tf.cast(kernel, tf.float32), _host("convolution"))
        loss = tf.reduce_sum(rounded * weights.astype(np.float32))
    np.testing.assert_allclose(tape.gradient(loss, kernel), weights, rtol=1e-6)


@pytest.mark.parametrize("bits", [-1, 1, 9])
def test_other_bits_are_refused(bits):
    config = patch_pb2.Patch(preset=patch_pb2.SPOTPATCH)
    config.fake_quantize.weight_bits = bits
    with pytest.raises(
        ValueError, match=rf"weight_bits` must lie in \[2, 8\].*{bits}"
    ):
        methods.check(config)


@pytest.mark.parametrize("preset", ["SPOTPATCH", "BN_PATCH", "FINE_TUNING"])
def test_every_kernel_of_a_model_is_rounded(preset):
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.layers.Conv2D(4, 3, input_shape=(6, 6, 3), name="a"),
            keras.layers.BatchNormalization(name="a_bn"),
            keras.layers.DepthwiseConv2D(3, name="b"),
            keras.layers.SeparableConv2D(5, 1, name="head"),
        ]
    )
    hosts = hosts_lib.find_hosts(
        ("class_head" if layer.name == "head" else "backbone", layer)
        for layer in model.layers
    )
    found = [*hosts.kernels, *hosts.head_kernels]
    assert [host.layer.name for host in found] == ["a", "b", "head", "head"]
    kernels = [host.variable.numpy() for host in found]
    config = patch_pb2.Patch(preset=patch_pb2.Preset.Value(preset))
    config.fake_quantize.SetInParent()
    method = methods.build(config, hosts)
    method.attach()
    for host, kernel in zip(found, kernels, strict=True):
        read = tf.convert_to_tensor(getattr(host.layer, host.attribute))
        axes = (0, 1) if host.kind == hosts_lib.DEPTHWISE else (0, 1, 2)
        steps = read.numpy() / (
            np.abs(read).max(axis=axes, keepdims=True) / 127
        )
        np.testing.assert_allclose(steps, np.rint(steps), atol=1e-3)
        np.testing.assert_array_equal(host.variable.numpy(), kernel)
    method.detach()
    for host, kernel in zip(found, kernels, strict=True):
        np.testing.assert_array_equal(
            getattr(host.layer, host.attribute).numpy(), kernel
        )


def test_a_heads_kernel_is_trained_through_its_view_and_ships_unrounded():
    head = keras.layers.Conv2D(2, 1, use_bias=False, name="head")
    stem = keras.layers.Conv2D(3, 1, name="stem")
    model = keras.Sequential([keras.Input((1, 1, 3)), stem, head])
    hosts = hosts_lib.find_hosts([("backbone", stem), ("box_head", head)])
    config = patch_pb2.Patch(preset=patch_pb2.FINE_TUNING)
    config.fake_quantize.weight_bits = 2
    model.patch = methods.build(config, hosts)
    model.patch.attach()
    (kernel,) = (host.variable for host in hosts.head_kernels)
    kernel.assign([[[[1.0, -2.0], [0.75, 0.5], [0.25, 1.5]]]])
    with tf.GradientTape() as tape:
        outputs = head(tf.constant([[[[2.0, 3.0, 5.0]]]]))
    # 2 bits leave -1, 0 and 1 times the greatest of a channel.
    np.testing.assert_allclose(outputs.numpy().ravel(), [2 + 3, -4 + 10])
    gradient = tape.gradient(outputs, kernel).numpy()
    np.testing.assert_allclose(gradient[0, 0], [[2, 2], [3, 3], [5, 5]])
    assert any(kernel is variable for variable in model.trainable_variables)
    shipped = {edit.target: edit for edit in model.patch.edits()}
    np.testing.assert_array_equal(
        shipped["box_head/head/kernel"].values, kernel.numpy()
    )
