"""MobileTL on a small model: gradients by its rule, what trains, errors."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from object_detection_patch import methods
from object_detection_patch.keras_version import keras
from object_detection_patch.methods import base, shift
from object_detection_patch.methods.signed_backward import signed_backward
from object_detection_patch.protos import patch_pb2

_EPSILON = 1e-3  # of Keras' BatchNorm


def _config(blocks=1, **options):
    config = patch_pb2.Patch()
    part = config.part.add().mobile_tl
    part.trainable_blocks = blocks
    for name, value in options.items():
        setattr(part, name, value)
    return config


# Which variables train.


@pytest.mark.parametrize("blocks", [1, 3, 4])
def test_top_blocks_and_what_stands_on_them_train(make_patched, blocks):
    found = make_patched(_config(blocks))
    trained = {id(v) for v in found.model.trainable_variables}
    tensors = found.hosts.base_tensors() | found.hosts.head_tensors()
    names = {n for n, v in tensors.items() if id(v) in trained}
    expected = {
        *("backbone/Conv_1/kernel", "backbone/Conv_1/bias"),
        *("backbone/top_bn/gamma", "backbone/top_bn/beta"),
        *("class_head/head/kernel", "class_head/head/bias"),
    }
    for number in range(5 - blocks, 5):
        block = f"backbone/block_{number}"
        expected |= {
            *(f"{block}_expand/kernel", f"{block}_expand_BN/beta"),
            *(f"{block}_depthwise/depthwise_kernel",),
            *(f"{block}_depthwise_BN/beta", f"{block}_project/kernel"),
            *(f"{block}_project_BN/gamma", f"{block}_project_BN/beta"),
        }
    assert names == expected


def test_without_the_approximation_every_norm_of_a_block_trains(make_patched):
    found = make_patched(_config(approximate=False))
    trained = {id(v) for v in found.model.trainable_variables}
    for role in ("expand", "depthwise", "project"):
        layer = found.model.get_layer(f"block_4_{role}_BN")
        assert id(layer.gamma) in trained
        assert layer.trainable
    kinds = {type(p) for p in found.patch.host_patches.values()}
    assert shift.ShiftedBatchNorm not in kinds
    assert base.TrainedBatchNorm in kinds


def test_statistics_move_in_the_last_norm_of_a_block_alone(
    make_patched, images
):
    found = make_patched(_config())
    means = {
        host.layer.name: host.layer.moving_mean.numpy()
        for host in found.hosts.batch_norms
    }
    found.model(images, training=True)
    moved = {
        name
        for name, before in means.items()
        if not np.array_equal(
            found.model.get_layer(name).moving_mean.numpy(), before
        )
    }
    assert moved == {"block_4_project_BN", "top_bn"}


# Gradients, against numpy in float64.


class _Reference:
    """One block on frozen statistics, forward and by MobileTL's rule back.

    A depthwise kernel of 1 x 1 makes every layer a product of matrices.
    """

    def __init__(self, seed):
        random = np.random.default_rng(seed)
        self.x = random.standard_normal((10, 4))
        self.expand = random.standard_normal((4, 6))
        self.depthwise = random.standard_normal(6)
        self.project = random.standard_normal((6, 4))
        self.norms = [
            {
                "gamma": random.uniform(0.5, 2, 6),
                "beta": random.standard_normal(6),
                "mean": random.standard_normal(6),
                "variance": random.uniform(0.5, 2, 6),
            }
            for _ in range(2)
        ]
        self.upstream = random.standard_normal((10, 4))

    @staticmethod
    def _slope(norm):
        return norm["gamma"] / np.sqrt(norm["variance"] + _EPSILON)

    def _normalised(self, x, norm):
        return (x - norm["mean"]) * self._slope(norm) + norm["beta"]

    def gradients(self, clip=lambda a: a >= 0):
        first, second = self.norms
        a = self._normalised(self.x @ self.expand, first)
        b = np.clip(a, 0, 6)
        c = self._normalised(b * self.depthwise, second)
        d = np.clip(c, 0, 6)
        to_c = (self.upstream @ self.project.T) * clip(c)
        to_b = to_c * self._slope(second) * self.depthwise
        to_a = to_b * clip(a)
        return {
            "project": d.T @ self.upstream,
            "second_beta": to_c.sum(0),
            "depthwise": (to_c * self._slope(second) * b).sum(0),
            "first_beta": to_a.sum(0),
            "expand": self.x.T @ (to_a * self._slope(first)),
        }


def _computed(reference, activation):
    """The same block of our functions, differentiated by TensorFlow."""
    variables = {
        name: tf.Variable(getattr(reference, name), dtype=tf.float64)
        for name in ("expand", "depthwise", "project")
    }
    betas = [tf.Variable(norm["beta"]) for norm in reference.norms]
    variables |= {"first_beta": betas[0], "second_beta": betas[1]}

    def normalised(x, number):
        norm = reference.norms[number] | {"beta": betas[number]}
        return shift.shift_only(
            x,
            epsilon=_EPSILON,
            **{k: tf.convert_to_tensor(v) for k, v in norm.items()},
        )

    with tf.GradientTape() as tape:
        x = tf.constant(reference.x) @ variables["expand"]
        x = activation(normalised(x, 0)) * variables["depthwise"]
        x = activation(normalised(x, 1)) @ variables["project"]
    return tape.gradient(x, variables, tf.constant(reference.upstream))


@pytest.mark.parametrize("seed", range(3))
def test_gradients_of_a_block_are_those_of_the_rule(seed):
    reference = _Reference(seed)
    signed = signed_backward(tf.nn.relu6)
    computed = _computed(reference, signed)
    for name, expected in reference.gradients().items():
        np.testing.assert_allclose(
            computed[name], expected, rtol=1e-10, atol=1e-12, err_msg=name
        )


def test_with_the_exact_activation_they_are_the_true_ones():
    reference = _Reference(5)
    computed = _computed(reference, tf.nn.relu6)
    true = reference.gradients(clip=lambda a: (a > 0) & (a < 6))
    for name, expected in true.items():
        np.testing.assert_allclose(
            computed[name], expected, rtol=1e-10, atol=1e-12, err_msg=name
        )


def _gradients(model, images, labels):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    with tf.GradientTape() as tape:
        value = loss(labels, model(images, training=True))
    variables = model.trainable_variables
    return {
        v.name: g.numpy()
        for v, g in zip(variables, tape.gradient(value, variables), strict=True)
    }


def test_with_the_approximation_off_gradients_are_tensorflows_own(
    make_patched, make_model, images, labels
):
    patched = make_patched(_config(approximate=False)).model
    stock = make_model(blocks=True)
    for layer in stock.layers:
        layer.trainable = layer.name in {
            *(f"block_4_{r}" for r in ("expand", "depthwise", "project")),
            *(f"block_4_{r}_BN" for r in ("expand", "depthwise", "project")),
            *("Conv_1", "top_bn", "head"),
        }
    expected = _gradients(stock, images, labels)
    found = _gradients(patched, images, labels)
    assert set(found) == set(expected)
    for name, gradient in expected.items():
        np.testing.assert_array_equal(found[name], gradient, name)


def test_with_the_approximation_on_they_differ_below_the_activations_alone(
    make_patched, images, labels
):
    exact, signed = (
        _gradients(make_patched(_config(approximate=on)).model, images, labels)
        for on in (False, True)
    )
    assert set(signed) < set(exact)
    expand = "block_4_expand/kernel:0"
    assert np.abs(signed[expand] - exact[expand]).max() > 1e-3


# The forward pass, and back to the base.


def test_inference_is_that_of_the_base(make_patched, make_model, images):
    patched = make_patched(_config(3)).model(images, training=False)
    stock = make_model(blocks=True)(images, training=False)
    np.testing.assert_allclose(patched, stock, rtol=1e-5, atol=1e-5)


def test_detached_layers_compute_as_they_did(make_patched, images, labels):
    found = make_patched(_config())
    found.patch.detach()
    assert not any("call" in vars(layer) for layer in found.model.layers)


# Frozen kernels in int8.


def test_frozen_kernels_lie_on_a_grid_of_int8_and_ship_nothing(make_patched):
    found = make_patched(_config(2, frozen_int8=True))
    frozen = {"stem", *_kernels_of("block_1"), *_kernels_of("block_2")}
    for host in found.hosts.kernels:
        stored = host.variable.numpy()
        used = tf.convert_to_tensor(getattr(host.layer, host.attribute))
        if host.layer.name not in frozen:
            np.testing.assert_array_equal(used, stored)
            continue
        axes = (0, 1) if host.kind == "depthwise" else (0, 1, 2)
        scale = np.abs(stored).max(axes, keepdims=True) / 127
        np.testing.assert_allclose(
            used, np.round(stored / scale) * scale, rtol=1e-5, atol=1e-7
        )
        assert not np.array_equal(used, stored)
    shipped = {edit.target for edit in found.patch.edits()}
    assert not any(name.split("/")[1] in frozen for name in shipped)


def _kernels_of(block):
    return {f"{block}_{role}" for role in ("expand", "depthwise", "project")}


# Errors.


@pytest.mark.parametrize("blocks", [0, -1])
def test_a_count_below_one_is_refused_before_anything_is_built(blocks):
    with pytest.raises(
        ValueError,
        match=rf"^`mobile_tl\.trainable_blocks` must be >= 1 .*{blocks} ",
    ):
        methods.check(_config(blocks))


def test_more_blocks_than_the_base_has_are_refused(make_patched):
    with pytest.raises(ValueError) as caught:
        make_patched(_config(5))
    assert str(caught.value) == (
        "`mobile_tl.trainable_blocks` must be at most the number of inverted "
        "residual blocks of the base, 4. Received: 5 (pipeline.config, "
        "[object_detection_patch.patch])."
    )


def test_a_base_without_blocks_is_refused(small_hosts):
    with pytest.raises(
        ValueError,
        match=r"^`mobile_tl` needs a base of inverted residual blocks, .*"
        r"Received: a base without any \(pipeline\.config",
    ):
        methods.build(_config(), small_hosts)
