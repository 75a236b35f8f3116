"""Edits between two sets of tensors, against plain numpy."""

import types

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from object_detection_patch.checkpoints import differences
from object_detection_patch.hosts import HostBatchNorm, HostKernel, Hosts
from object_detection_patch.patch_file import (
    AddSigned,
    Replace,
    ScaleOffset,
    apply_edits,
)

_SHAPE = (1, 1, 3, 4)


class _Variable:
    """What a host asks of a variable."""

    def __init__(self, value):
        self._value = np.asarray(value, np.float32)
        self.shape = self._value.shape

    def numpy(self):
        return self._value


def _kernel(name):
    return HostKernel(
        name, "fpn", "convolution", None, "kernel", _Variable(np.ones(_SHAPE))
    )


def _batch_norm(name, **tensors):
    layer = types.SimpleNamespace(
        epsilon=0.001, **{key: _Variable(v) for key, v in tensors.items()}
    )
    return HostBatchNorm(name, "fpn", layer)


def _random(seed, shape=_SHAPE):
    return np.random.default_rng(seed).normal(0, 1, shape).astype("float32")


class TestSigned:
    @hypothesis.given(
        st_numpy.arrays(
            np.float32,
            st_numpy.array_shapes(min_dims=4, max_dims=4, max_side=4),
            elements=st.floats(-2, 2, width=32),
        ),
        st.integers(0, 2**31),
    )
    def test_leaves_what_the_formula_says(self, difference, seed):
        base = _random(seed, difference.shape)
        tuned = base + difference
        true = tuned.astype(np.float64) - base
        edit = differences.signed("k", base, tuned)
        change = np.sqrt((true**2).sum())
        # Float32 resolves differences of such weights to about 1e-7.
        hypothesis.assume(np.abs(true).mean() > 1e-4)
        share = np.abs(true).mean() ** 2 / (true**2).mean()
        hypothesis.assume(share > 1e-3)
        np.testing.assert_array_equal(edit.mask, true < 0)
        assert edit.scale == pytest.approx(np.abs(true).mean(), rel=1e-6)
        (patched,) = apply_edits({"k": base}, [edit]).values()
        left = np.sqrt(((patched.astype(np.float64) - tuned) ** 2).sum())
        expected = change * np.sqrt(max(0.0, 1 - share))
        assert left == pytest.approx(expected, abs=1e-5 + 1e-5 * change)

    @pytest.mark.parametrize("factor", [0.9, 0.99, 1.01, 1.1])
    def test_no_other_scale_is_better(self, factor):
        base, tuned = _random(1), _random(2)
        edit = differences.signed("k", base, tuned)

        def left(scale):
            signs = np.where(edit.mask, -1.0, 1.0)
            return np.linalg.norm((base + scale * signs - tuned).ravel())

        assert left(edit.scale) < left(factor * edit.scale)

    def test_equal_kernels_get_none(self):
        assert differences.signed("k", _random(1), _random(1)) is None

    def test_what_float32_cannot_resolve_gets_none(self):
        base = np.ones(_SHAPE, np.float32)
        tuned = base.copy()
        tuned[0, 0, 0, 0] = np.nextafter(np.float32(1), np.float32(2))
        assert differences.signed("k", base, tuned) is None


def test_finds_each_edit_and_none_for_what_is_equal():
    tensors = {"gamma": [1.0, 2.0], "beta": [0.5, -0.5]}
    statistics = {"moving_mean": [0.1, 0.2], "moving_variance": [1.0, 3.0]}
    moved = {"moving_mean": [0.4, -0.2], "moving_variance": [2.0, 0.5]}
    bias = types.SimpleNamespace(name="fpn/c/bias", variable=None)
    head = types.SimpleNamespace(
        name="box_head/c/bias", variable=_Variable([7.0])
    )
    hosts = Hosts(
        (_kernel("fpn/c/kernel"), _kernel("fpn/d/kernel")),
        (
            _batch_norm("fpn/bn", **tensors, **moved),
            _batch_norm("fpn/same", **tensors, **statistics),
        ),
        (bias,),
        (head,),
    )
    base = {"fpn/c/kernel": _random(1), "fpn/d/kernel": _random(2)}
    base["fpn/c/bias"] = np.zeros(2, np.float32)
    for name in ("fpn/bn", "fpn/same"):
        for key, value in (tensors | statistics).items():
            base[f"{name}/{key}"] = np.asarray(value, np.float32)
    tuned = dict(base)
    tuned["fpn/c/kernel"] = _random(3)
    tuned["fpn/c/bias"] = np.array([1.0, 2.0], np.float32)
    for key, value in moved.items():
        tuned[f"fpn/bn/{key}"] = np.asarray(value, np.float32)

    mask, norm, moved_bias, shipped = differences.find_edits(hosts, base, tuned)
    assert isinstance(mask, AddSigned) and mask.target == "fpn/c/kernel"
    assert isinstance(norm, ScaleOffset) and norm.target == "fpn/bn"
    assert moved_bias == Replace("fpn/c/bias", tuned["fpn/c/bias"])
    assert shipped == Replace("box_head/c/bias", np.array([7.0], "float32"))
    x = _random(4, (5, 2)).astype(np.float64)

    def normalised(values, gamma, beta):
        spread = np.sqrt(values["fpn/bn/moving_variance"] + 0.001)
        return (x - values["fpn/bn/moving_mean"]) / spread * gamma + beta

    np.testing.assert_allclose(
        normalised(base, norm.scale, norm.offset),
        normalised(tuned, tuned["fpn/bn/gamma"], tuned["fpn/bn/beta"]),
        atol=1e-6,
    )


def test_a_changed_batch_norm_without_gamma_is_refused():
    layer = types.SimpleNamespace(
        epsilon=0.001,
        gamma=None,
        beta=_Variable([0.0]),
        moving_mean=_Variable([1.0]),
        moving_variance=_Variable([1.0]),
    )
    hosts = Hosts((), (HostBatchNorm("fpn/bn", "fpn", layer),), (), ())
    base = {
        f"fpn/bn/{key}": np.zeros(1, np.float32)
        for key in ("beta", "moving_mean", "moving_variance")
    }
    assert differences.find_edits(hosts, base, base) == []
    tuned = base | {"fpn/bn/moving_mean": np.ones(1, np.float32)}
    with pytest.raises(ValueError, match="fpn/bn without gamma"):
        differences.find_edits(hosts, base, tuned)


def test_errors_of_each_kernel_and_of_all():
    names = ("a", "b", "c")
    base = {name: _random(i) for i, name in enumerate(names)}
    tuned = {
        "a": base["a"] + _random(7),
        "b": base["b"],
        "c": base["c"] + 3 * _random(8),
    }
    edits = [differences.signed("a", base["a"], tuned["a"])]
    a, b, c = differences.kernel_errors(map(_kernel, names), base, tuned, edits)
    moved = tuned["a"].astype(np.float64) - base["a"]
    share = np.abs(moved).mean() ** 2 / (moved**2).mean()
    assert (a.name, a.weights, a.edited) == ("a", 12, True)
    assert a.change == pytest.approx(np.sqrt((moved**2).sum()))
    assert a.relative == pytest.approx(np.sqrt(1 - share), rel=1e-5)
    assert (b.change, b.error, b.relative, b.edited) == (0, 0, 0, False)
    assert (c.error, c.relative, c.edited) == (c.change, 1, False)
    assert differences.total_relative([a, b, c]) == pytest.approx(
        np.hypot(a.error, c.error) / np.hypot(a.change, c.change)
    )
    assert differences.total_relative([b]) == 0
