"""Numbers that depend on the classes, found by comparing two skeletons."""

from __future__ import annotations

import numpy as np
import pytest

from object_detection_patch.export.class_numbers import (
    StructureError,
    find_class_numbers,
)
from object_detection_patch.tflite.sidecar import ClassNumber


def _find(mine, others, written=(), classes=13, other_classes=29):
    return find_class_numbers(
        np.array(mine, "<i4").tobytes(),
        np.array(others, "<i4").tobytes(),
        classes=classes,
        other_classes=other_classes,
        written=written,
    )


def test_factor_and_addend_come_from_two_values():
    found = _find([7, 14, 6 * 14, 13, 3], [7, 30, 6 * 30, 29, 3])
    assert found == (
        ClassNumber(4, 1, 1),
        ClassNumber(8, 6, 1),
        ClassNumber(12, 1, 0),
    )


def test_what_is_written_anyway_is_not_looked_at():
    assert _find([5, -1], [6, 999], written=[0, 4]) == ()


@pytest.mark.parametrize(
    ("value", "other"), [(14, 31), (30, 14), (101, 133), (5, 21)]
)
def test_other_differences_are_refused(value, other):
    with pytest.raises(
        StructureError,
        match=rf"must be a multiple.*{value} for 13.*{other} for 29.*byte 0",
    ):
        _find([value], [other])


def test_another_length_is_refused():
    with pytest.raises(StructureError, match="same structure.*4 bytes.*8 for"):
        _find([1], [1, 2])
