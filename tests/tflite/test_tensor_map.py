"""Constants found by value, and what cannot be told is refused."""

from __future__ import annotations

import numpy as np
import pytest

from object_detection_patch.tflite.tensor_map import (
    TensorMapError,
    by_channel,
    match_bias,
    match_weights,
)

SHAPE = (3, 3, 8, 16)
DEEP_SHAPE = (3, 3, 8, 2)
FOLDS = 16


@pytest.fixture
def random():
    return np.random.default_rng(0)


@pytest.fixture
def kernels(random):
    return {
        f"backbone/{name}/kernel": random.standard_normal(SHAPE, np.float32)
        for name in "abcd"
    }


@pytest.fixture
def norms(random):
    """As in trained models: of either sign, of very different sizes."""
    return {
        f"tower/BatchNorm/{level}": np.exp(random.normal(0, 1, FOLDS)).astype(
            np.float32
        )
        * random.choice(np.float32([-1, 1]), FOLDS)
        for level in range(5)
    }


def in_model(kernel, scale):
    """Folded, in TFLite's order (out, h, w, in)."""
    return (kernel * scale).transpose(3, 0, 1, 2)


def match(weights, kernels, norms, *, is_depthwise=False):
    return match_weights(
        weights, is_depthwise=is_depthwise, kernels=kernels, norm_scales=norms
    )


def test_each_copy_is_found(kernels, norms):
    for name, kernel in kernels.items():
        for norm, scale in norms.items():
            found = match(in_model(kernel, scale), kernels, norms)
            assert (found.kernel, found.norm) == (name, norm)
            assert found.margin > 1e4


def test_without_a_norm(kernels, norms):
    name, kernel = next(iter(kernels.items()))
    found = match(in_model(kernel, np.float32(1)), kernels, norms)
    assert (found.kernel, found.norm) == (name, None)


def test_without_norms_at_all(kernels):
    name, kernel = next(iter(kernels.items()))
    only = {name: kernel}
    found = match(in_model(kernel, np.float32(1)), only, {})
    assert (found.kernel, found.norm, found.margin) == (name, None, np.inf)


@pytest.mark.parametrize("noise", [2.0**-11, 2.0**-8])
def test_rounded_weights_are_found(kernels, norms, random, noise):
    """float16, and the steps of int8."""
    name, kernel = "backbone/b/kernel", kernels["backbone/b/kernel"]
    weights = in_model(kernel, norms["tower/BatchNorm/3"])
    weights = weights * (
        1 + noise * random.standard_normal(weights.shape)
    ).astype(np.float32)
    found = match(weights, kernels, norms)
    assert (found.kernel, found.norm) == (name, "tower/BatchNorm/3")
    assert found.margin > 100


def test_permuted_channels_are_told_apart(random, norms):
    """The same numbers in another order are another kernel."""
    kernel = random.standard_normal(SHAPE, np.float32)
    kernels = {
        "a/kernel": kernel,
        "b/kernel": kernel[..., ::-1],
        "c/kernel": kernel[:, :, ::-1],
        "d/kernel": kernel[::-1],
        "e/kernel": kernel.transpose(1, 0, 2, 3),
    }
    scale = norms["tower/BatchNorm/0"]
    for name, value in kernels.items():
        assert match(in_model(value, scale), kernels, norms).kernel == name


def test_permuted_scales_are_told_apart(kernels, norms):
    name, kernel = next(iter(kernels.items()))
    scale = norms["tower/BatchNorm/0"]
    both = {"n/0": scale, "n/1": scale[::-1]}
    assert match(in_model(kernel, scale), kernels, both).norm == "n/0"
    assert match(in_model(kernel, scale[::-1]), kernels, both).norm == "n/1"


def test_two_identical_kernels_are_refused(kernels, norms):
    kernels["backbone/twin/kernel"] = kernels["backbone/a/kernel"].copy()
    weights = in_model(kernels["backbone/a/kernel"], norms["tower/BatchNorm/0"])
    with pytest.raises(
        TensorMapError,
        match=r"one tensor of the base\. Received: weights of shape "
        r"\(16, 3, 3, 8\), which backbone/a/kernel and backbone/twin/kernel "
        "fit almost alike",
    ):
        match(weights, kernels, norms)


@pytest.mark.parametrize("difference", [0, 1e-7])
def test_two_identical_norms_are_refused(kernels, norms, difference):
    scale = norms["tower/BatchNorm/0"]
    norms["tower/twin"] = scale * np.float32(1 + difference)
    weights = in_model(kernels["backbone/a/kernel"], scale)
    with pytest.raises(
        TensorMapError,
        match="Received: the scales folded into backbone/a/kernel, which "
        r"tower/(twin|BatchNorm/0) and tower/(twin|BatchNorm/0) fit almost",
    ):
        match(weights, kernels, norms)


def test_a_norm_that_is_like_none_is_refused(kernels):
    one = {"tower/unit": np.ones(FOLDS, np.float32)}
    weights = in_model(kernels["backbone/a/kernel"], np.float32(1))
    with pytest.raises(
        TensorMapError, match="which no norm and tower/unit fit almost alike"
    ):
        match(weights, kernels, one)


def test_an_unknown_kernel_is_refused(kernels, norms, random):
    weights = random.standard_normal((16, 3, 3, 8), np.float32)
    with pytest.raises(
        TensorMapError,
        match=r"must come from a tensor of the base\. Received: weights of "
        r"shape \(16, 3, 3, 8\) like none of them \(backbone/./kernel is the "
        r"nearest\)\.",
    ):
        match(weights, kernels, norms)


def test_unknown_scales_are_refused(kernels, norms, random):
    scale = random.standard_normal(FOLDS, np.float32)
    weights = in_model(kernels["backbone/a/kernel"], scale)
    with pytest.raises(
        TensorMapError, match="the scales folded into backbone/a/kernel like"
    ):
        match(weights, kernels, norms)


@pytest.mark.parametrize(
    "shape", [(16, 8, 3, 3), (8, 3, 3, 16), (16, 1, 1, 8), (15, 3, 3, 8)]
)
def test_weights_of_another_shape_are_refused(kernels, norms, random, shape):
    weights = random.standard_normal(shape, np.float32)
    with pytest.raises(TensorMapError, match=r"like none of them\.$"):
        match(weights, kernels, norms)


def test_a_depthwise_kernel_with_a_multiplier(norms, random):
    """Channel c x m in all: (h, w, c, m) -> (1, h, w, c m)."""
    kernels = {
        f"backbone/{name}/depthwise_kernel": random.standard_normal(
            DEEP_SHAPE, np.float32
        )
        for name in "ab"
    }
    # The same numbers, input channels and multiplier exchanged.
    swapped = kernels["backbone/a/depthwise_kernel"].reshape(3, 3, 2, 8)
    kernels["backbone/c/depthwise_kernel"] = swapped.swapaxes(2, 3)
    scale = norms["tower/BatchNorm/2"]
    for name, kernel in kernels.items():
        weights = kernel.reshape(1, 3, 3, 16) * scale
        found = match(weights, kernels, norms, is_depthwise=True)
        assert (found.kernel, found.norm) == (name, "tower/BatchNorm/2")


def test_depthwise_kernels_serve_depthwise_convolutions_alone(random):
    """In a shape that both could have: (1, 1, 1, n)."""
    kernel = random.standard_normal((1, 1, 4, 1), np.float32)
    weights = kernel.reshape(1, 1, 1, 4)
    kernels = {"a/depthwise_kernel": kernel}
    found = match(weights, kernels, {}, is_depthwise=True)
    assert found.kernel == "a/depthwise_kernel"
    with pytest.raises(TensorMapError, match="like none of them"):
        match(weights, kernels, {})
    with pytest.raises(TensorMapError, match="like none of them"):
        match(weights, {"a/kernel": kernel}, {}, is_depthwise=True)


def test_a_dead_channel_is_no_division_by_zero(kernels, norms):
    """1 of 16 channels of zeros is too many to be sure."""
    name, kernel = next(iter(kernels.items()))
    kernel[..., 3] = 0
    with pytest.raises(TensorMapError, match="like none of them"):
        match(in_model(kernel, norms["tower/BatchNorm/0"]), kernels, norms)


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(kernels, norms, number):
    weights = in_model(
        kernels["backbone/a/kernel"], norms["tower/BatchNorm/0"]
    ).copy()
    weights[0, 0, 0, 0] = number
    with np.errstate(invalid="ignore"), pytest.raises(TensorMapError):
        match(weights, kernels, norms)


def test_a_candidate_of_nan_hides_no_other(kernels, norms):
    kernels["backbone/0/kernel"] = np.full(SHAPE, np.nan, np.float32)
    weights = in_model(kernels["backbone/d/kernel"], norms["tower/BatchNorm/0"])
    assert match(weights, kernels, norms).kernel == "backbone/d/kernel"


def test_biases(random):
    biases = {
        name: random.standard_normal(6, np.float32) for name in ("a", "b")
    }
    biases["other shape"] = np.ones(5, np.float32)
    for name, values in biases.items():
        assert match_bias(values.copy(), biases) == name
    assert match_bias(np.zeros(6, np.float32), biases) is None
    with pytest.raises(
        TensorMapError, match=r"Received: a bias of shape \(7,\) like none of"
    ):
        match_bias(np.ones(7, np.float32), biases)
    with pytest.raises(TensorMapError, match=r"\([ab] is the nearest\)"):
        match_bias(np.ones(6, np.float32), biases)


def test_two_identical_biases_are_refused():
    """Heads that begin with one number everywhere."""
    prior = np.full(6, -4.6, np.float32)
    with pytest.raises(TensorMapError, match="which a and b fit almost alike"):
        match_bias(prior, {"a": prior, "b": prior.copy()})


@pytest.mark.parametrize("is_depthwise", [True, False])
def test_weights_by_channel(is_depthwise):
    shape = (1, 2, 3, 4) if is_depthwise else (4, 2, 3, 1)
    weights = np.arange(24, dtype=np.float32).reshape(shape)
    found = by_channel(weights, is_depthwise=is_depthwise)
    for channel in range(4):
        one = weights[..., channel] if is_depthwise else weights[channel]
        assert found[channel].tolist() == one.ravel().tolist()
