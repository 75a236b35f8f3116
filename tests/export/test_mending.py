"""Small gammas are raised in the model; without a gamma it is said."""

from __future__ import annotations

import numpy as np
import pytest

from object_detection_patch import hosts as hosts_lib
from object_detection_patch.export.gammas import FLOORS
from object_detection_patch.export.mending import Mended, mend
from object_detection_patch.keras_version import keras

_EPSILON = 1e-3


def _norm(name, variance, *, gamma=None):
    """A BatchNorm's host, without gamma unless one is given."""
    layer = keras.layers.BatchNormalization(
        epsilon=_EPSILON, scale=gamma is not None
    )
    layer.build((None, len(variance)))
    layer.moving_variance.assign(variance)
    if gamma is not None:
        layer.gamma.assign(gamma)
    return hosts_lib.HostBatchNorm(name, "backbone", layer)


def _kernel():
    layer = keras.layers.Conv2D(2, 1)
    layer.build((None, 4, 4, 3))
    return hosts_lib.HostKernel(
        "backbone/a/kernel",
        "backbone",
        "pointwise",
        layer,
        "kernel",
        layer.kernel,
    )


def _hosts(*norms, kernels=()):
    return hosts_lib.Hosts(kernels, norms, (), ())


@pytest.mark.parametrize("precision", sorted(FLOORS))
def test_a_small_gamma_is_raised_in_the_model(precision):
    norm = _norm("a", [1.0, 1.0, 1.0], gamma=[2.0, 1e-9, 1.0])
    mended = mend(_hosts(norm), precision, snap=False)
    assert mended == Mended(1, 0, {})
    gamma = norm.layer.gamma.numpy()
    np.testing.assert_array_equal(gamma[[0, 2]], [2, 1])
    assert gamma[1] == pytest.approx(2 * FLOORS[precision], rel=2e-3)
    assert mend(_hosts(norm), precision, snap=False) == Mended(0, 0, {})


def test_without_gamma_it_is_said_and_nothing_changes():
    # 1 / deviation is 31.6, where a channel is dead, and 1e-2 and 1e-3.
    variance = [0.0, 1e4, 1e6]
    norm = _norm("a", variance)
    other = _norm("b", [1.0, 2.0, 4.0])
    mended = mend(_hosts(norm, other), "int8", snap=False)
    # 2^-10 of 31.6 is 0.031.
    assert mended == Mended(0, 0, {"a": 2})
    np.testing.assert_array_equal(
        norm.layer.moving_variance.numpy(), np.float32(variance)
    )
    assert mend(_hosts(norm), "float32", snap=False).unraised_channels == {}


def test_only_snapping_rounds_kernels():
    kernel = _kernel()
    before = kernel.variable.numpy()
    hosts = _hosts(kernels=(kernel,))
    assert mend(hosts, "int8", snap=False) == Mended(0, 0, {})
    np.testing.assert_array_equal(kernel.variable.numpy(), before)
    assert mend(hosts, "int8", snap=True) == Mended(0, 1, {})
    steps = kernel.variable.numpy() / (np.abs(before).max(axis=(0, 1, 2)) / 127)
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-4)
    assert not np.array_equal(kernel.variable.numpy(), before)
