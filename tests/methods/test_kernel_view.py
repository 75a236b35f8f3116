"""A patched kernel in the place of a layer's own."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import tensorflow as tf

from object_detection_patch import hosts as hosts_lib
from object_detection_patch.keras_version import keras
from object_detection_patch.methods import (
    base,
    fake_quantize,
    kernel_view,
)


class _Counting(base.KernelPatch):
    """kernel' = factor * kernel, and how often that was computed."""

    def build(self, kernel_shape):
        del kernel_shape
        self.factor = self.add_weight(
            name="factor", shape=(), initializer="ones"
        )
        self.calls = 0
        self.built = True

    def call(self, kernel):
        self.calls += 1
        return self.factor * tf.stop_gradient(tf.convert_to_tensor(kernel))


_VALUES = np.linspace(-2, 3, 18).reshape(1, 1, 3, 6)
_IMAGE = np.random.default_rng(0).standard_normal((2, 4, 4, 3)).astype("f4")


@pytest.fixture
def attached(one_kernel):
    host = one_kernel(_VALUES)
    patch = _Counting(name="counting")
    patch.build(host.variable.shape)
    patch.factor.assign(2.0)
    kernel_view.attach(host, patch)
    return host, patch


def _expected(factor):
    """A 1 x 1 convolution is a product with a matrix."""
    return _IMAGE @ (factor * _VALUES[0, 0]).astype(np.float32)


def _close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_the_layer_computes_with_the_patched_kernel(attached):
    host, patch = attached
    _close(host.layer(_IMAGE), _expected(2.0))
    patch.factor.assign(-1.5)
    _close(host.layer(_IMAGE), _expected(-1.5))


def test_the_base_variable_stays_where_it_is(attached):
    host, _ = attached
    assert kernel_view.is_attached(host)
    assert host.layer.weights == [host.variable]
    _close(host.variable, _VALUES)
    kernel_view.detach(host)
    assert not kernel_view.is_attached(host)
    assert host.layer.kernel is host.variable
    _close(host.layer(_IMAGE), _expected(1.0))


def test_it_looks_like_a_kernel(attached):
    host, _ = attached
    view = host.layer.kernel
    assert view.shape == (1, 1, 3, 6)
    assert view.dtype == tf.float32
    _close(tf.convert_to_tensor(view), 2.0 * _VALUES)
    assert tf.convert_to_tensor(view, tf.float64).dtype == tf.float64


def test_a_graph_reads_the_variables_anew_at_every_run(attached):
    host, patch = attached
    function = tf.function(lambda x: host.layer(x))
    _close(function(_IMAGE), _expected(2.0))
    traced = patch.calls
    patch.factor.assign(0.5)
    _close(function(_IMAGE), _expected(0.5))
    assert patch.calls == traced


def test_a_patched_kernel_is_read_once(attached):
    host, _ = attached
    function = tf.function(host.layer.kernel.value).get_concrete_function()
    reads = [
        operation.inputs[0]
        for operation in function.graph.get_operations()
        if operation.type == "ReadVariableOp"
    ]
    # Of the kernel and of the patch's factor.
    assert len(reads) == 2
    assert reads[0] is not reads[1]


def test_gradients_reach_the_patch_and_not_the_base(attached):
    host, patch = attached
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(host.layer(_IMAGE))
    by_factor, by_kernel = tape.gradient(loss, [patch.factor, host.variable])
    assert by_factor.numpy() == pytest.approx(_expected(1.0).sum(), rel=1e-4)
    assert by_kernel is None


def test_outside_the_scope_every_call_computes(attached):
    host, patch = attached
    for _ in range(3):
        host.layer(_IMAGE)
    assert patch.calls == 3


def test_inside_the_scope_it_is_computed_once(attached):
    host, patch = attached
    with kernel_view.computed_once():
        for _ in range(3):
            _close(host.layer(_IMAGE), _expected(2.0))
    assert patch.calls == 1


def test_the_next_scope_sees_changed_variables(attached):
    host, patch = attached
    for number, factor in enumerate((2.0, 0.25, -4.0), start=1):
        patch.factor.assign(factor)
        with kernel_view.computed_once():
            _close(host.layer(_IMAGE), _expected(factor))
            _close(host.layer(_IMAGE), _expected(factor))
        assert patch.calls == number
    patch.factor.assign(7.0)
    _close(host.layer(_IMAGE), _expected(7.0))


def test_each_graph_computes_its_own(attached):
    host, patch = attached

    def twice(x):
        return host.layer(x) + host.layer(x)

    with kernel_view.computed_once():
        host.layer(_IMAGE)
        assert patch.calls == 1
        _close(tf.function(twice)(_IMAGE), 2 * _expected(2.0))
        assert patch.calls == 2
        _close(tf.function(twice)(_IMAGE), 2 * _expected(2.0))
        assert patch.calls == 3
        _close(host.layer(_IMAGE), _expected(2.0))
        assert patch.calls == 3


def test_a_scope_inside_a_traced_function(attached):
    host, patch = attached

    @tf.function
    def step(x):
        with kernel_view.computed_once():
            return host.layer(x) + host.layer(x)

    for factor in (2.0, 0.5):
        patch.factor.assign(factor)
        _close(step(_IMAGE), 2 * _expected(factor))
    assert patch.calls == 1


def test_gradients_sum_over_the_calls_of_a_scope(attached):
    host, patch = attached
    with tf.GradientTape() as tape, kernel_view.computed_once():
        loss = tf.reduce_sum(host.layer(_IMAGE) + 2.0 * host.layer(_IMAGE))
    gradient = tape.gradient(loss, patch.factor)
    assert gradient.numpy() == pytest.approx(3 * _expected(1.0).sum(), rel=1e-4)


def test_an_inner_scope_ends_without_ending_the_outer(attached):
    host, patch = attached
    with kernel_view.computed_once():
        host.layer(_IMAGE)
        with kernel_view.computed_once():
            host.layer(_IMAGE)
        assert patch.calls == 2
        host.layer(_IMAGE)
        assert patch.calls == 2


def test_an_error_ends_the_scope(attached):
    host, patch = attached
    with (
        pytest.raises(RuntimeError, match="inside"),
        kernel_view.computed_once(),
    ):
        host.layer(_IMAGE)
        raise RuntimeError("inside")
    patch.factor.assign(-1.0)
    _close(host.layer(_IMAGE), _expected(-1.0))


def test_a_scope_is_of_one_thread(attached):
    host, patch = attached
    with kernel_view.computed_once():
        host.layer(_IMAGE)
        thread = threading.Thread(target=lambda: host.layer(_IMAGE))
        thread.start()
        thread.join()
    assert patch.calls == 2


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [("float16", 2e-3), ("bfloat16", 2e-2)]
)
def test_mixed_precision_casts_once_at_the_end(one_kernel, dtype, tolerance):
    """Computed in float32, as merging does; then cast like any kernel."""
    host = one_kernel(_VALUES, dtype=f"mixed_{dtype}")
    patch = _Counting(name="counting")
    patch.build(host.variable.shape)
    patch.factor.assign(1.0 / 3.0)
    kernel_view.attach(host, patch)

    merged = tf.cast(np.float32(1.0 / 3.0) * np.float32(_VALUES), dtype)
    view = host.layer.kernel
    assert view.dtype == dtype
    np.testing.assert_array_equal(tf.convert_to_tensor(view), merged)
    found = host.layer(_IMAGE)
    assert found.dtype == dtype
    np.testing.assert_allclose(
        tf.cast(found, tf.float32), _expected(1 / 3), tolerance, 10 * tolerance
    )


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_rounding_is_not_done_in_16_bits(one_kernel, dtype):
    """There 1e-6 / 127 is 0 or coarse, and dividing by 0 gives NaN."""
    values = np.array([[[[1e-6, 1.27], [0.0, 0.4351]]]], np.float32)
    host = one_kernel(values, dtype=f"mixed_{dtype}")
    kernel_view.attach(host, None, [fake_quantize.FakeQuantizer(8)])
    expected = [[1e-6, 1.27], [0.0, 0.44]]
    for row, image in zip(expected, np.eye(2, dtype=np.float32), strict=True):
        found = host.layer(image.reshape(1, 1, 1, 2))
        np.testing.assert_allclose(
            tf.cast(found, tf.float32).numpy().ravel(),
            tf.cast(tf.cast(row, dtype), tf.float32),
            rtol=1e-3,
        )


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_a_mask_is_not_cut_in_16_bits(one_kernel, dtype):
    """1e-30 is 0 in float16, which would be another mask than ships."""
    from object_detection_patch import methods
    from object_detection_patch.methods import presets

    before = keras.mixed_precision.global_policy()
    keras.mixed_precision.set_global_policy(f"mixed_{dtype}")
    try:
        host = one_kernel(_VALUES)
        hosts = hosts_lib.find_hosts([("backbone", host.layer)])
        patch = methods.build(presets.patch_config("PIGGYBACK"), hosts)
    finally:
        keras.mixed_precision.set_global_policy(before)
    (layer,) = patch.host_patches.values()
    layer.latent_mask.assign(np.full(_VALUES.shape, 1e-30))
    patch.attach()
    found = tf.convert_to_tensor(host.layer.kernel)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, tf.cast(_VALUES, dtype))


def test_frozen_layers_have_nothing_to_train_and_keep_their_statistics():
    layer = keras.layers.BatchNormalization(momentum=0.5)
    layer.build((None, 4, 4, 3))
    kernel_view.frozen(layer)
    before = [weight.numpy() for weight in layer.weights]
    found = layer(_IMAGE, training=True)
    assert layer.trainable_weights == []
    for old, new in zip(before, layer.weights, strict=True):
        np.testing.assert_array_equal(old, new)
    _close(found, _IMAGE / np.sqrt(1.0 + layer.epsilon))
