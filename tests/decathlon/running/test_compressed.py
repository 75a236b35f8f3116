"""Where compressed runs start, against numpy's own decomposition."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from object_detection_patch.decathlon.running import compressed
from object_detection_patch.decathlon.running.folder import (
    FolderError,
    open_folder,
)
from object_detection_patch.patch_file import AddAtCentre, read_patch
from tests.decathlon.running.families_to_test import RUNS, leave_patches

_WIDE = "fpn/wide/kernel"


@pytest.fixture
def folder(tmp_path):
    return open_folder(tmp_path)


def _matrix(patch, outputs=20):
    """The adapter of a patch, multiplied out if it is a product."""
    (edit,) = (e for e in patch.edits if e.target == _WIDE)
    values = edit.values.astype(np.float64)
    if isinstance(edit, AddAtCentre):
        return values
    return values[:, :-outputs].T @ values[:, -outputs:]


def _start(folder, task, variant):
    run = RUNS[task, variant]
    folder.run_work(run).mkdir(parents=True, exist_ok=True)
    compressed.write_start(folder, run)
    return read_patch(folder.run_start(run))


def _truncated(matrix, rank):
    u, s, v = np.linalg.svd(matrix, full_matrices=False)
    return (u[:, :rank] * s[:rank]) @ v[:rank]


def test_alone_it_is_the_nearest_of_its_rank(folder):
    patches = leave_patches(folder)
    found = _matrix(_start(folder, "coco", "svd"))

    expected = _truncated(_matrix(patches["coco"]), 4)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_together_the_stack_of_all_tasks_is(folder):
    patches = leave_patches(folder)
    found = [
        _matrix(_start(folder, task, "joint_svd")) for task in ("birds", "coco")
    ]

    stacked = np.concatenate([_matrix(p) for p in patches.values()])
    expected = _truncated(stacked, 4)
    np.testing.assert_allclose(np.concatenate(found), expected, atol=1e-5)


def test_what_was_no_adapter_stays(folder):
    patches = leave_patches(folder)
    found = {e.target: e for e in _start(folder, "birds", "joint_svd").edits}

    for edit in patches["birds"].edits:
        if "class_head" in edit.target:
            np.testing.assert_array_equal(
                found[edit.target].values, edit.values
            )


def test_other_runs_start_from_nothing(folder):
    run = RUNS["coco", ""]
    compressed.require_patches(folder, run)
    compressed.write_start(folder, run)

    assert not folder.run_start(run).exists()
    assert compressed.digest(folder, run) == ""


def test_patches_that_are_missing_are_named(folder):
    with pytest.raises(FolderError, match="birds__seed1 left in work/") as e:
        compressed.require_patches(folder, RUNS["birds", "joint_svd"])
    assert str(folder.run_record(RUNS["birds", ""].id)) in str(e.value)


def test_other_patches_are_another_start(folder):
    leave_patches(folder)
    run = RUNS["birds", "svd"]
    path = folder.run_patch(RUNS["birds", ""])
    before = compressed.digest(folder, run)
    assert before == hashlib.sha256(path.read_bytes()).hexdigest()

    path.write_bytes(folder.run_patch(RUNS["coco", ""]).read_bytes())
    assert compressed.digest(folder, run) != before
