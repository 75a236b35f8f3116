"""Adapters against the published layer, in plain numpy.

The PyTorch code of Rebuffi et al. (models.py, `conv_task` and `conv1x1`)
computes, with a convolution `conv3x3(x)` of padding 1 and one of 1 x 1,

    parallel   y = conv3x3(x) + conv1x1(x), both with the block's stride
    series     y = conv3x3(x);  y = y + conv1x1(y)

here with loops over taps and einsum, beside what Keras computes with the
adapted kernel.
"""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from object_detection_patch import hosts as hosts_lib
from object_detection_patch.keras_version import keras
from object_detection_patch.methods import kernel_view
from object_detection_patch.methods.adapter_kernel import AdapterKernel
from object_detection_patch.patch_file import (
    AddAtCentre,
    AddProductAtCentre,
    MixOutputs,
    MixOutputsByProduct,
    apply_edits,
)

INPUTS, OUTPUTS, PIXELS = 4, 6, 7
CASES = pytest.mark.parametrize(
    ("topology", "rank"),
    [("PARALLEL", 0), ("PARALLEL", 2), ("SERIES", 0), ("SERIES", 3)],
)
GEOMETRY = pytest.mark.parametrize(
    ("extent", "stride"), [(3, 1), (3, 2), (1, 1), (1, 2), (7, 2)]
)


def draw(*shape, seed=0):
    random = np.random.default_rng(seed)
    return random.standard_normal(shape).astype(np.float32)


def windows(x, extent, stride):
    """(tap, n, y, x, in): what each tap of a kernel reads, with padding."""
    around = (extent - 1) // 2
    padded = np.pad(x, [(0, 0), (around, around), (around, around), (0, 0)])
    size = (x.shape[1] - 1) // stride + 1
    end = stride * (size - 1) + 1
    return [
        padded[:, y : y + end : stride, z : z + end : stride]
        for y in range(extent)
        for z in range(extent)
    ]


def convolved(x, kernel, stride):
    taps = kernel.reshape(-1, *kernel.shape[2:])
    found = windows(x, kernel.shape[0], stride)
    return sum(
        np.einsum("nyxi,io->nyxo", part, tap)
        for part, tap in zip(found, taps, strict=True)
    )


def published(x, kernel, matrix, stride, topology):
    """The layer as its authors wrote it; `matrix` is their filter, in first."""
    y = convolved(x, kernel, stride)
    if topology == "PARALLEL":
        return y + convolved(x, matrix[None, None], stride)
    return y + convolved(y, matrix[None, None], 1)


def gradients(x, kernel, matrix, stride, topology, upstream):
    """Of sum(upstream * y) by the adapter's filter."""
    if topology == "PARALLEL":
        (read,) = windows(x, 1, stride)
    else:
        read = convolved(x, kernel, stride)
    return np.einsum("nyxi,nyxo->io", read, upstream)


def adapter(topology, rank, extent, seed=5):
    patch = AdapterKernel(topology=topology, rank=rank)
    patch.build((extent, extent, INPUTS, OUTPUTS))
    for number, weight in enumerate(patch.weights):
        weight.assign(0.5 * draw(*weight.shape, seed=seed + number))
    return patch


def matrix_of(patch):
    right = patch.right.numpy().astype(np.float64)
    return patch.left.numpy() @ right if patch.rank else right


@pytest.fixture
def convolution():
    """A frozen Keras convolution, padded as PyTorch pads."""

    def make(extent, stride):
        pad = keras.layers.ZeroPadding2D((extent - 1) // 2)
        layer = keras.layers.Conv2D(
            OUTPUTS, extent, strides=stride, use_bias=False, name="conv"
        )
        model = keras.Sequential([pad, layer])
        model.build((None, PIXELS, PIXELS, INPUTS))
        layer.kernel.assign(draw(*layer.kernel.shape, seed=1))
        (host,) = hosts_lib.find_hosts([("backbone", layer)]).kernels
        return model, host

    return make


@CASES
@GEOMETRY
def test_it_is_the_published_layer(topology, rank, extent, stride, convolution):
    model, host = convolution(extent, stride)
    patch = adapter(topology, rank, extent)
    kernel_view.attach(host, patch)
    x, kernel = draw(3, PIXELS, PIXELS, INPUTS), host.variable.numpy()
    expected = published(
        x.astype(np.float64), kernel, matrix_of(patch), stride, topology
    )
    plain = convolved(x, kernel, stride)

    np.testing.assert_allclose(model(x).numpy(), expected, rtol=0, atol=2e-4)
    assert np.abs(expected - plain).max() > 0.5


@CASES
@GEOMETRY
def test_its_gradients_are_the_published_layer_s(
    topology, rank, extent, stride, convolution
):
    model, host = convolution(extent, stride)
    patch = adapter(topology, rank, extent)
    kernel_view.attach(host, patch)
    x = draw(3, PIXELS, PIXELS, INPUTS)
    with tf.GradientTape() as tape:
        y = model(x)
        upstream = draw(*y.shape, seed=9)
        loss = tf.reduce_sum(upstream * y)
    found = tape.gradient(loss, [*patch.trainable_weights, host.variable])

    by_matrix = gradients(
        x, host.variable.numpy(), matrix_of(patch), stride, topology, upstream
    )
    expected = [by_matrix]
    if rank:
        left, right = patch.left.numpy(), patch.right.numpy()
        expected = [by_matrix @ right.T, left.T @ by_matrix]
    assert found.pop() is None, "the host's kernel is frozen"
    for mine, its in zip(found, expected, strict=True):
        np.testing.assert_allclose(mine, its, rtol=1e-4, atol=5e-3)


@CASES
@pytest.mark.parametrize("extent", [1, 3])
def test_it_starts_as_the_identity(topology, rank, extent):
    patch = AdapterKernel(topology=topology, rank=rank)
    patch.build((extent, extent, INPUTS, OUTPUTS))
    kernel = draw(extent, extent, INPUTS, OUTPUTS)

    assert patch(kernel).numpy().tobytes() == kernel.tobytes()
    if rank:
        assert patch.left.numpy().std() > 0.1


@CASES
def test_its_edit_is_its_kernel(topology, rank, one_kernel):
    kernel = draw(3, 3, INPUTS, OUTPUTS)
    host, patch = one_kernel(kernel), adapter(topology, rank, 3)
    (edit,) = patch.edits(host)
    (merged,) = apply_edits({host.name: kernel}, [edit]).values()

    kinds = {
        ("PARALLEL", 0): AddAtCentre,
        ("PARALLEL", 2): AddProductAtCentre,
        ("SERIES", 0): MixOutputs,
        ("SERIES", 3): MixOutputsByProduct,
    }
    assert type(edit) is kinds[topology, rank]
    np.testing.assert_allclose(merged, patch(kernel), rtol=0, atol=1e-5)
    if (topology, rank) == ("PARALLEL", 0):
        assert merged.tobytes() == patch(kernel).numpy().tobytes()


@CASES
def test_its_penalty_is_weight_decay(topology, rank):
    patch = adapter(topology, rank, 1)
    patch.weight_decay = 0.25
    with tf.GradientTape() as tape:
        (penalty,) = patch.penalties().values()
    by_weights = tape.gradient(penalty, patch.trainable_weights)

    for weight, gradient in zip(patch.weights, by_weights, strict=True):
        np.testing.assert_allclose(gradient, 0.25 * weight.numpy(), rtol=1e-6)
    patch.weight_decay = 0.0
    assert patch.penalties() == {}


@CASES
def test_dropout_leaves_out_rows(topology, rank):
    """A row is a channel that the adapter reads: gone, or 1 / (1 - p)."""
    keras.utils.set_random_seed(2)
    patch = adapter(topology, rank, 1)
    patch.dropout = 0.75
    rows = INPUTS if topology == "PARALLEL" else OUTPUTS
    # Series adapters of an identity kernel show their matrix.
    kernel = np.eye(rows, OUTPUTS, dtype=np.float32)[None, None]
    matrix = matrix_of(patch)
    seen = set()
    for _ in range(20):
        change = (patch(kernel, training=True).numpy() - kernel)[0, 0]
        for row, whole in zip(change, matrix, strict=True):
            factor = float(np.vdot(row, whole) / np.vdot(whole, whole))
            np.testing.assert_allclose(row, factor * whole, atol=1e-4)
            seen.add(round(factor, 3))
    assert seen == {0.0, 4.0}
    np.testing.assert_allclose(
        patch(kernel, training=False).numpy()[0, 0],
        kernel[0, 0] + matrix,
        atol=1e-5,
    )
