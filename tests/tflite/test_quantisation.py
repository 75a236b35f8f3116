"""int8 kernels and biases, one rule at a time."""

from __future__ import annotations

import numpy as np
import pytest

from object_detection_patch.patch_file import KeepMasked, Replace
from object_detection_patch.tflite import quantisation
from object_detection_patch.tflite.arithmetic import Fold
from object_detection_patch.tflite.errors import NumberError
from object_detection_patch.tflite.sidecar import CONVOLUTION, DEPTHWISE

ONE = np.float32(1)
LEAST = 2.0**-60


def floats(*values):
    return np.array(values, np.float32)


def requantised(
    *,
    steps=(10, -20, 127),
    scale=0.5,
    ratio=1.0,
    edit=None,
    bias=0.0,
    activation=ONE,
    form=CONVOLUTION,
):
    """One channel of three weights."""
    base = quantisation.Quantised(np.array(steps, np.int8), floats(scale))
    fold = Fold(ONE + floats(0), floats(bias), floats(ratio), ONE + floats(0))
    found = quantisation.requantised(
        "k", base, edit, fold, form, [(floats(bias), np.float32(activation))]
    )
    return found.weights.ravel().tolist(), float(found.scales[0])


def new(*values):
    return Replace("k", floats(*values).reshape(1, 1, 3, 1))


@pytest.mark.parametrize("form", [CONVOLUTION, DEPTHWISE])
def test_a_norm_changes_the_scale_alone(form):
    found = requantised(ratio=3.0, form=form)
    assert found == ([10, -20, 127], 1.5)


def test_a_negative_ratio_turns_the_steps():
    assert requantised(ratio=-2.0) == ([-10, 20, -127], 1.0)


@pytest.mark.parametrize(("ratio", "step"), [(1.0, -127), (-1.0, 127)])
def test_the_most_negative_step_is_brought_within_127(ratio, step):
    found, _ = requantised(steps=(-128, 0, 1), ratio=ratio)
    assert found[0] == step


def test_a_new_kernel_spans_127_steps():
    found = requantised(edit=new(12.7, -6.35, 0.1))
    assert found == ([127, -64, 1], float(np.float32(12.7) / np.float32(127)))


def test_halves_are_rounded_to_even():
    found = requantised(edit=new(127.0, 2.5, 3.5))
    assert found == ([127, 2, 4], 1.0)
    assert requantised(edit=new(127.0, -2.5, -0.5))[0] == [127, -2, 0]


def test_a_kernel_of_zeros_takes_the_least_scale():
    assert requantised(edit=new(0, 0, 0)) == ([0, 0, 0], LEAST)
    nothing = KeepMasked("k", np.zeros((1, 1, 3, 1), bool))
    assert requantised(edit=nothing) == ([0, 0, 0], LEAST)


def test_a_large_bias_raises_the_scale():
    """|b'| / a * 2^-30, so that the bias has 2^30 steps at most."""
    bias = 2.0**40
    found = requantised(edit=new(127.0, 1, 0), bias=bias, activation=0.5)
    assert found == ([0, 0, 0], bias / 0.5 * 2.0**-30)


def test_a_large_bias_scales_the_steps_of_the_base():
    """t' is 4 t: the steps come in quarters, halves to even."""
    found = requantised(
        steps=(10, -20, 127), scale=0.5, bias=2.0**31, activation=ONE
    )
    assert found == ([2, -5, 32], 2.0)


def test_a_scale_that_is_just_large_enough_is_kept():
    """Then q * t, which would overflow, is not computed."""
    found = requantised(scale=2.0**125, ratio=2.0**-65, bias=2.0**90)
    assert found == ([10, -20, 127], 2.0**60)
    with pytest.raises(NumberError, match="NaN or Inf for 'k'"):
        requantised(scale=2.0**125, ratio=2.0**-65, bias=2.0**91)


def test_the_most_negative_step_of_a_scale_that_is_too_small():
    scale = np.nextafter(np.float32(LEAST), np.float32(0))
    assert requantised(steps=(-128, 1, 127), scale=scale) == (
        [-127, 1, 127],
        LEAST,
    )


@pytest.mark.parametrize("scale", [np.nan, np.inf, -np.inf])
def test_scales_of_the_base_that_are_not_finite(scale):
    with pytest.raises(NumberError, match="NaN or Inf for 'k'"):
        requantised(scale=scale)
    with pytest.raises(NumberError, match="NaN or Inf for 'k'"):
        requantised(scale=scale, steps=(0, 0, 0))


def test_a_negative_scale_of_the_base_is_brought_to_the_least():
    found = requantised(scale=-(2.0**-60), steps=(1, 2, -127))
    assert found == ([-1, -2, 127], LEAST)


def test_a_bias_beyond_any_scale():
    with pytest.raises(NumberError, match="NaN or Inf for 'k'"):
        requantised(bias=3e38, activation=2.0**-149)


def quantised_bias(bias, scale, activation=1.0):
    found, scales = quantisation.quantised_bias(
        "k", floats(*bias), floats(*scale), np.float32(activation)
    )
    assert found.dtype == np.dtype("<i4")
    return found.tolist(), scales.tolist()


def test_a_bias_in_steps_of_both_scales():
    found = quantised_bias([5.0, -5.0, 0.0], [0.5, 1.0, 2.0], 4.0)
    assert found == ([2, -1, 0], [2.0, 4.0, 8.0])


def test_halves_of_a_bias_are_rounded_to_even():
    assert quantised_bias([0.5, 1.5, -2.5], [1, 1, 1])[0] == [0, 2, -2]


@pytest.mark.parametrize("sign", [1, -1])
def test_the_greatest_bias(sign):
    assert quantised_bias([sign * 2147483520.0], [1.0]) == (
        [sign * 2147483520],
        [1.0],
    )
    with pytest.raises(
        NumberError,
        match=r"within 2147483520 steps of its scale\. "
        r"Received: 2\.14748e\+09 for 'k'",
    ):
        quantised_bias([0.0, sign * 2147483648.0], [1.0, 1.0])


def test_a_bias_beyond_all_numbers():
    with pytest.raises(NumberError, match=r"Received: inf for 'k'"):
        quantised_bias([3e38], [0.5])


def test_a_scale_that_underflows():
    with pytest.raises(
        NumberError,
        match=r"scales of a bias must be above 0\. Received: 0 for 'k'",
    ):
        quantised_bias([0.0], [2.0**-149], 0.5)


def test_a_scale_that_overflows():
    with pytest.raises(NumberError, match="NaN or Inf for 'k'"):
        quantised_bias([0.0], [3e38], 2.0)


def test_the_least_scale_of_a_bias_may_be_subnormal():
    assert quantised_bias([0.0], [2.0**-149]) == ([0], [2.0**-149])
