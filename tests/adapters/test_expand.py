"""Task and shared files that do not belong together."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from object_detection_patch.adapters import expand
from object_detection_patch.adapters.errors import OtherFamilyError
from object_detection_patch.adapters.files import Shared, Task
from object_detection_patch.patch_file import (
    AddAtCentre,
    AddProductAtCentre,
    MixOutputsByProduct,
    Patch,
    Replace,
    to_bytes,
)

RIGHT = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
LEFT = np.array([[7, 8], [9, 10], [11, 12], [13, 14]], np.float32)
SHARED = Shared("ab" * 32, "PARALLEL", {"fpn/k": RIGHT}, "11" * 32)
TASK = Task(
    "11" * 32,
    Patch(
        "X",
        "ab" * 32,
        (Replace("box_head/b", [1.0]), Replace("fpn/k", LEFT)),
    ),
)
VALUES = [[7, 9, 11, 13, 1, 2, 3], [8, 10, 12, 14, 4, 5, 6]]


def with_edits(*edits):
    return Task("11" * 32, dataclasses.replace(TASK.patch, edits=edits))


def test_parallel():
    found = expand.expand(SHARED, TASK)
    assert found.edits == (
        Replace("box_head/b", [1.0]),
        AddProductAtCentre("fpn/k", VALUES),
    )
    assert found.method == "X"


def test_series():
    shared = dataclasses.replace(SHARED, topology="SERIES")
    left = LEFT[:3]
    found = expand.expand(shared, with_edits(Replace("fpn/k", left)))
    values = [[7, 9, 11, 1, 2, 3], [8, 10, 12, 4, 5, 6]]
    assert found.edits == (MixOutputsByProduct("fpn/k", values),)


def refused(shared, task, message):
    with pytest.raises(OtherFamilyError, match=message) as caught:
        expand.expand(shared, task)
    assert "Received" in str(caught.value)


def test_another_family():
    other = dataclasses.replace(SHARED, sha256="22" * 32)
    refused(other, TASK, "another family, 2222")


def test_another_base():
    other = dataclasses.replace(SHARED, base_fingerprint="cd" * 32)
    refused(other, TASK, "bases abab.* and cdcd")


def test_a_factor_that_is_missing():
    task = with_edits(Replace("box_head/b", [1.0]))
    refused(SHARED, task, "none for 'fpn/k'")


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (Replace("fpn/k", LEFT[:, :1]), r"\(4, 1\) of 'fpn/k' beside \(2, 3\)"),
        (Replace("fpn/k", [1.0, 2.0]), r"\(2,\) of"),
        (Replace("fpn/k", LEFT[:1]), r"\(1, 2\) of"),
        (AddAtCentre("fpn/k", LEFT), "AddAtCentre of 'fpn/k'"),
    ],
)
def test_factors_that_do_not_fit(edit, message):
    refused(SHARED, with_edits(edit), message)


def test_series_factors_are_of_the_outputs():
    shared = dataclasses.replace(SHARED, topology="SERIES")
    refused(shared, TASK, r"rows = out behind kernels. Received: \(4, 2\)")


def test_whatever_expands_can_be_written():
    """K at most rows and out is at most half of rows + out."""
    shared = dataclasses.replace(SHARED, factors={"fpn/k": RIGHT[:, :2]})
    found = expand.expand(shared, with_edits(Replace("fpn/k", LEFT[:2])))
    assert found.edits[0].values.shape == (2, 4)
    assert to_bytes(found)


def test_a_missing_shared_file(tmp_path, make_family):
    task = make_family / "one.odpt"
    with pytest.raises(
        OtherFamilyError, match="SHA-256 [0-9a-f]{64}. Received: .*no.odps'"
    ):
        expand.expand_files(tmp_path / "no.odps", task)
