"""Edits against formulas that are computed another way."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from object_detection_patch.patch_file import (
    AddSigned,
    AffineMask,
    KeepMasked,
    PatchFileError,
    Replace,
    ScaleOffset,
    apply_edits,
    errors,
)
from object_detection_patch.patch_file.edits import check_edits

W = np.array([[0.5, -1.0], [3.0, -0.25]], np.float32)
MASK = np.array([[True, False], [False, True]])


def test_add_signed_subtracts_where_the_bit_is_set():
    (applied,) = apply_edits({"a": W}, [AddSigned("a", MASK, 0.25)]).values()

    assert applied.tolist() == [[0.25, -0.75], [3.25, -0.5]]


def test_add_signed_of_a_negative_scale():
    (applied,) = apply_edits({"a": W}, [AddSigned("a", MASK, -0.25)]).values()

    assert applied.tolist() == [[0.75, -1.25], [2.75, 0.0]]


def test_affine_mask():
    edit = AffineMask("a", MASK, 2.0, 0.5, -4.0)
    (applied,) = apply_edits({"a": W}, [edit]).values()

    assert applied.tolist() == [[-2.5, -1.5], [6.5, -4.0]]


def test_affine_mask_rounds_each_operation_in_the_stated_order():
    # In float64, or fused, or in another order, this gives another number.
    k0, k1, k2 = (np.float32(x) for x in (1.1, 0.3, -0.7))
    kernel = np.linspace(-1, 1, 101, dtype=np.float32)
    mask = np.arange(101) % 2 == 0
    edit = AffineMask("a", mask, float(k0), float(k1), float(k2))
    (applied,) = apply_edits({"a": kernel}, [edit]).values()

    for w, bit, found in zip(kernel, mask, applied, strict=True):
        exact_in_double = float(k0) * float(w)
        step = np.float32(np.float32(exact_in_double) + k1)
        assert found == (np.float32(step + k2) if bit else step)


def test_keep_masked_leaves_positive_zero():
    (applied,) = apply_edits({"a": W}, [KeepMasked("a", MASK)]).values()

    assert applied.tolist() == [[0.5, 0.0], [0.0, -0.25]]
    assert not np.signbit(applied[0, 1])


def test_scale_offset_writes_gamma_and_beta():
    base = {"bn/gamma": np.ones(2), "bn/beta": np.ones(2)}
    applied = apply_edits(base, [ScaleOffset("bn", [2, 3], [4, 5])])

    assert {name: value.tolist() for name, value in applied.items()} == {
        "bn/gamma": [2, 3],
        "bn/beta": [4, 5],
    }


def test_only_edited_tensors_come_back_and_the_base_stays():
    base = {"a": W.copy(), "b": W.copy()}
    applied = apply_edits(base, [Replace("a", W + 1)])

    assert list(applied) == ["a"]
    assert applied["a"].dtype == np.float32
    applied["a"][:] = 0
    assert np.array_equal(base["a"], W)


@pytest.mark.parametrize("place", ["box_head", "class_head"])
def test_heads_may_be_absent_or_of_another_shape(place):
    edit = Replace(f"{place}/k", np.ones(3))
    for base in ({}, {f"{place}/k": np.zeros(5)}):
        assert apply_edits(base, [edit])[f"{place}/k"].tolist() == [1, 1, 1]
    applied = apply_edits({}, [ScaleOffset(f"{place}/bn", [1], [2])])
    assert applied[f"{place}/bn/beta"].tolist() == [2]


@pytest.mark.parametrize(
    "edit",
    [
        Replace("fpn/k", np.ones(3)),
        # A name that only begins like a head's is none.
        Replace("box_header/k", np.ones(3)),
        AddSigned("fpn/k", MASK, 1.0),
        AffineMask("fpn/k", MASK, 1, 1, 1),
        KeepMasked("class_head/k", MASK),
        ScaleOffset("fpn/bn", [1], [1]),
    ],
)
def test_missing_target(edit):
    with pytest.raises(errors.MissingTargetError, match="base model has"):
        apply_edits({}, [edit])


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (Replace("a", np.ones((2, 1))), r"\(2, 2\). Received: \(2, 1\)"),
        (KeepMasked("a", MASK[:1]), r"\(2, 2\). Received: \(1, 2\)"),
        (ScaleOffset("bn", [1, 1], [1, 1]), r"\(1,\). Received: \(2,\)"),
    ],
)
def test_target_of_another_shape(edit, message):
    base = {"a": W, "bn/gamma": np.ones(1), "bn/beta": np.ones(1)}
    with pytest.raises(errors.TargetShapeError, match=message):
        apply_edits(base, [edit])


@pytest.mark.parametrize(
    "edits",
    [
        [Replace("a", W), KeepMasked("a", MASK)],
        [ScaleOffset("a", [1], [1]), Replace("a/beta", [1])],
    ],
)
def test_two_edits_of_one_tensor(edits):
    with pytest.raises(errors.DuplicateTargetError, match="edited once"):
        apply_edits({"a": W}, edits)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, 1e39])
def test_numbers_that_are_not_finite_in_float32(number):
    for edit in (
        Replace("a", [1.0, number]),
        AddSigned("a", MASK, number),
        AffineMask("a", MASK, 1, number, 1),
        ScaleOffset("a", [1.0], [number]),
        ScaleOffset("a", [number], [1.0]),
    ):
        with pytest.raises(errors.NotFiniteError, match="of 'a'"):
            check_edits([edit])


@pytest.mark.parametrize("scale", [0.0, -0.0, 1e-60])
def test_scale_of_zero(scale):
    with pytest.raises(errors.ScaleError, match="leave the edit out"):
        check_edits([AddSigned("a", MASK, scale)])


@pytest.mark.parametrize(
    ("scale", "offset"), [([1.0], [1.0, 2.0]), ([[1.0]], [[1.0]]), (1.0, 1.0)]
)
def test_scale_and_offset_of_other_shapes(scale, offset):
    with pytest.raises(errors.ShapeError, match=r"\(channels,\)"):
        check_edits([ScaleOffset("a", scale, offset)])


def test_result_that_overflows():
    huge = np.full((2, 2), 3e38, np.float32)
    with pytest.raises(errors.NotFiniteError, match="NaN or Inf in 'a'"):
        apply_edits({"a": huge}, [AffineMask("a", MASK, 2, 0, 0)])


def test_base_that_is_not_finite():
    broken = np.array([[1, np.nan], [0, 0]], np.float32)
    with pytest.raises(errors.NotFiniteError, match="the base holds them"):
        apply_edits({"a": broken}, [AddSigned("a", MASK, 1.0)])


@given(
    scale=st.floats(2**-100, 2**100, width=32),
    bits=st.lists(st.booleans(), min_size=4, max_size=4),
)
def test_negative_scale_and_complemented_mask_are_one_edit(scale, bits):
    mask = np.array(bits).reshape(2, 2)
    one = apply_edits({"a": W}, [AddSigned("a", mask, -scale)])["a"]
    other = apply_edits({"a": W}, [AddSigned("a", ~mask, scale)])["a"]

    assert one.tobytes() == other.tobytes()


def test_errors_of_a_patch_are_value_errors():
    assert issubclass(PatchFileError, ValueError)
    assert issubclass(errors.FingerprintError, ValueError)
    assert not issubclass(errors.FingerprintError, PatchFileError)
