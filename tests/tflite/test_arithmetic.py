"""Folds and float weights, one formula at a time."""

from __future__ import annotations

import fractions
import struct

import hypothesis
import numpy as np
import pytest
import slow_apply
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from object_detection_patch.patch_file import (
    AddSigned,
    AffineMask,
    KeepMasked,
    Replace,
    ScaleOffset,
)
from object_detection_patch.tflite import arithmetic
from object_detection_patch.tflite.errors import NumberError
from object_detection_patch.tflite.sidecar import CONVOLUTION, DEPTHWISE, Norm

ONE_CHANNEL = (1, 1, 3, 1)


def floats(*values):
    return np.array(values, np.float32)


def fold(scale=2.0, offset=0.0, ratio=0.5):
    numbers = (scale, offset, ratio, 1.0)
    return arithmetic.Fold(*map(floats, numbers))


def patched(edit, base=(1.0, -3.0, 0.25), **folded):
    found = arithmetic.patched_weights(
        "k", floats(*base), edit, fold(**folded), CONVOLUTION
    )
    return found.ravel().tolist()


def mask(*bits):
    return np.array(bits, bool).reshape(ONE_CHANNEL)


def test_no_edit_scales_by_the_ratio():
    assert patched(None) == [0.5, -1.5, 0.125]


def test_new_values_are_folded():
    values = floats(3, 5, -7).reshape(ONE_CHANNEL)
    assert patched(Replace("k", values)) == [6, 10, -14]


def test_a_set_bit_subtracts():
    edit = AddSigned("k", mask(0, 1, 0), 0.25)
    assert patched(edit) == [0.5 + 0.5, -1.5 - 0.5, 0.125 + 0.5]


def test_a_set_bit_adds_k2():
    edit = AffineMask("k", mask(0, 1, 0), 3.0, 1.0, 10.0)
    assert patched(edit) == [1.5 + 2, -4.5 + 22, 0.375 + 2]


def test_a_clear_bit_is_plus_zero():
    found = patched(KeepMasked("k", mask(0, 1, 1)), base=(-5.0, 4.0, -0.0))
    assert found == [0, 2, 0]
    assert np.signbit(found).tolist() == [False, False, False]


def test_nothing_is_fused():
    """(1 + 2^-12)^2 - (1 + 2^-11) is 2^-24; rounded in between, it is 0."""
    edit = AddSigned("k", mask(1, 1, 1), 1 + 2.0**-11)
    base = [1 + 2.0**-12] * 3
    assert patched(edit, base, scale=1, ratio=1 + 2.0**-12) == [0, 0, 0]


def test_sums_are_rounded_before_they_are_multiplied():
    """k1 + k2 is 2^24 + 1, which rounds to 2^24."""
    edit = AffineMask("k", mask(1, 1, 1), 0.0, 2.0**24, 1.0)
    assert patched(edit, scale=3, ratio=1) == [3 * 2.0**24] * 3


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_weights_that_are_not_finite(number):
    with pytest.raises(NumberError, match="NaN or Inf for 'k'; the patch"):
        patched(None, base=(1.0, number, 1.0))


def test_a_new_kernel_may_be_of_another_size_than_the_base():
    edit = Replace("k", floats(1, 2, 3).reshape(ONE_CHANNEL))
    assert patched(edit, base=(7.0,)) == [2, 4, 6]


@pytest.mark.parametrize("form", [CONVOLUTION, DEPTHWISE])
def test_the_order_in_the_file(form):
    shape = (2, 3, 4, 5)
    values = np.arange(120, dtype=np.float32).reshape(shape)
    kernel = slow_apply.Kernel("k", form, shape, ())
    expected = [values[i] for i, _ in slow_apply.file_order(kernel)]
    found = arithmetic.in_file_order(values, form)
    channels = 5 if form == CONVOLUTION else 20
    assert found.ravel().tolist() == expected
    assert found.shape[0 if form == CONVOLUTION else 1] == channels


_NORM = Norm("n", floats(2, -4), floats(1, 1), floats(3, 0.5), floats(0.5, 2))


def test_the_fold_of_a_norm_as_published():
    found = arithmetic.fold_norm(_NORM, None)
    assert found.scale.tolist() == [1, -8]
    assert found.offset.tolist() == [1 - 3, 1 + 4]
    assert found.ratio.tolist() == [1, 1]


def test_the_fold_of_an_edited_norm():
    edit = ScaleOffset("n", floats(8, 0), floats(0, 7))
    found = arithmetic.fold_norm(_NORM, edit)
    assert found.scale.tolist() == [4, 0]
    assert found.offset.tolist() == [-12, 7]
    assert found.ratio.tolist() == [4, 0]


@pytest.mark.parametrize(
    ("gamma", "beta", "norm"),
    [
        (3e38, 0, Norm("n", *(floats(x) for x in (1, 0, 0, 3)))),
        (1, -3e38, Norm("n", *(floats(x) for x in (1, 0, 3e38, 1)))),
        (1, 0, Norm("n", *(floats(x) for x in (2.0**-149, 0, 0, 1)))),
    ],
    ids=["scale", "offset", "ratio"],
)
def test_a_fold_that_is_not_finite(gamma, beta, norm):
    edit = ScaleOffset("n", floats(gamma), floats(beta))
    with pytest.raises(NumberError, match="NaN or Inf for 'n'"):
        arithmetic.fold_norm(norm, edit)


def test_no_norm_changes_nothing():
    found = arithmetic.no_fold(3)
    assert found.scale.tolist() == found.ratio.tolist() == [1, 1, 1]
    assert found.offset.tolist() == [0, 0, 0]
    assert found.offset.dtype == found.scale.dtype == np.float32


_SINGLE = st.floats(width=32, allow_nan=False, allow_infinity=False)
_SINGLES = hnp.arrays(np.float32, 6, elements=_SINGLE)


@hypothesis.given(
    gamma=_SINGLES,
    old=hnp.arrays(np.float32, 6, elements=_SINGLE.filter(bool)),
    rest=_SINGLES,
    mean=_SINGLES,
)
def test_folds_are_those_of_single_numbers(gamma, old, rest, mean):
    norm = Norm("n", old, rest, mean, np.abs(rest[::-1]))
    edit = ScaleOffset("n", gamma, rest)
    try:
        with np.errstate(all="ignore"):
            expected = slow_apply.folded(norm, edit)
    except slow_apply.NotFiniteError:
        with pytest.raises(NumberError):
            arithmetic.fold_norm(norm, edit)
        return
    found = arithmetic.fold_norm(norm, edit)
    numbers = (found.scale, found.offset, found.ratio, found.base_scale)
    rows = np.stack(numbers, axis=1)
    assert rows.tobytes() == np.array(expected, np.float32).tobytes()


@hypothesis.given(base=_SINGLE, factor=_SINGLE, added=_SINGLE)
def test_each_operation_is_rounded_once(base, factor, added):
    """By exact fractions: neither double nor fused arithmetic passes."""
    edit = AddSigned("k", mask(0, 0, 0), abs(added) or 1.0)
    try:
        product = _rounded(_exact(base) * _exact(factor))
        expected = _rounded(_exact(product) + _exact(edit.scale))
    except OverflowError:
        with pytest.raises(NumberError):
            patched(edit, [base] * 3, scale=1, ratio=factor)
        return
    assert patched(edit, [base] * 3, scale=1, ratio=factor)[0] == expected


def _exact(value):
    return fractions.Fraction(float(value))


def _rounded(value):
    """To the nearest float32, halves to even; OverflowError beyond."""
    if value == 0:
        return 0.0
    exponent = -149
    while abs(value) >= fractions.Fraction(2) ** (exponent + 24):
        exponent += 1
    step = fractions.Fraction(2) ** exponent
    found = round(value / step) * step
    if abs(found) >= 2**128:
        raise OverflowError
    return float(found)


@hypothesis.given(hnp.arrays(np.float32, 9, elements=_SINGLE))
def test_float16_is_rounded_to_nearest_even(values):
    try:
        expected = b"".join(struct.pack("<e", float(v)) for v in values)
    except OverflowError:
        with pytest.raises(NumberError, match="for 'k'"):
            arithmetic.stored_float("k", values, "float16")
        return
    assert arithmetic.stored_float("k", values, "float16") == expected


@pytest.mark.parametrize(
    ("value", "half"),
    [
        (1 + 2.0**-11, 0x3C00),  # a tie, down to even
        (1 + 3 * 2.0**-11, 0x3C02),  # a tie, up to even
        (2.0**-25, 0x0000),  # a tie with 0
        (3 * 2.0**-25, 0x0002),
        (-(2.0**-25), 0x8000),
        (65519.996, 0x7BFF),
    ],
)
def test_float16_by_hand(value, half):
    found = arithmetic.stored_float("k", floats(value), "float16")
    assert found == struct.pack("<H", half)


def test_float32_is_stored_as_it_is():
    values = floats(-0.0, 2.0**-149, 3.4e38)
    found = arithmetic.stored_float("k", values, "float32")
    assert found == struct.pack("<3f", *values)


@hypothesis.given(st.binary(min_size=6, max_size=6))
def test_every_half_is_loaded_exactly(data):
    found = arithmetic.loaded_float(memoryview(data), "float16")
    expected = struct.unpack("<3e", data)
    assert found.dtype == np.float32
    assert np.array_equal(found, expected, equal_nan=True)


def test_a_caller_that_raises_on_underflow_changes_nothing():
    with np.errstate(all="raise"):
        assert patched(None, base=(2.0**-149,) * 3) == [0, 0, 0]
        assert arithmetic.stored_float("k", floats(1e-30), "float16")
