"""What edits share: equality by value, arrays that nobody changes."""

from __future__ import annotations

import numpy as np
import pytest

from object_detection_patch.patch_file import (
    AddSigned,
    KeepMasked,
    Replace,
    ScaleOffset,
)

W = np.array([[0.5, -1.0], [3.0, -0.25]], np.float32)
MASK = np.array([[True, False], [False, True]])


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_mask_that_is_not_bool(kind):
    with pytest.raises(TypeError, match="array of bool. Received"):
        KeepMasked("a", MASK.astype(kind))


def test_equality_is_by_value():
    assert AddSigned("a", MASK, 0.1) == AddSigned(
        "a", MASK.copy(), float(np.float32(0.1))
    )
    for other in (
        AddSigned("b", MASK, 0.1),
        AddSigned("a", ~MASK, 0.1),
        AddSigned("a", MASK.reshape(4), 0.1),
        AddSigned("a", MASK, 0.2),
        KeepMasked("a", MASK),
    ):
        assert AddSigned("a", MASK, 0.1) != other
    assert len({Replace("a", W), Replace("a", W.copy())}) == 1


def test_edits_do_not_change_with_the_array_they_were_given():
    values = np.ones(2, np.float32)
    edit = Replace("a", values)
    values[0] = 5

    assert edit.values.tolist() == [1, 1]
    with pytest.raises(ValueError, match="read-only"):
        edit.values[0] = 5


def _locked(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


def test_an_array_that_nobody_can_change_is_kept_without_a_copy():
    values = _locked(np.ones((2, 3), np.float32))
    assert Replace("a", values).values is values
    pair = ScaleOffset("bn", values[0], values[1])
    assert np.shares_memory(pair.scale, values)
    mask = _locked(np.ones(3, bool))
    assert KeepMasked("a", mask).mask is mask


def test_an_array_that_somebody_may_change_is_copied():
    values = np.ones(4, np.float32)
    view = _locked(values[:])
    buffer = bytearray(values.tobytes())
    borrowed = np.frombuffer(memoryview(buffer).toreadonly(), np.float32)
    edits = [Replace("a", view), Replace("b", borrowed)]
    values[0] = 5
    buffer[:4] = bytes(4)

    assert [edit.values.tolist() for edit in edits] == [[1, 1, 1, 1]] * 2


def test_an_array_of_another_order_or_type_becomes_a_plain_one():
    for array in (W.T, W.astype(">f4"), W.astype(np.float64)):
        values = Replace("a", _locked(array.copy("K"))).values
        assert values.flags.c_contiguous
        assert values.dtype == np.float32
        assert values.dtype.isnative
        assert np.array_equal(values, array)
