"""Files that were written once. They must load for ever; never rewrite."""

from __future__ import annotations

import pathlib

from object_detection_patch.adapters import expand, files, inspection
from object_detection_patch.patch_file import (
    AddAtCentre,
    AddProductAtCentre,
    LabelMapItem,
    Patch,
    ScaleOffset,
)

GOLDEN = pathlib.Path(__file__).parent / "golden"
SHARED, TASK = GOLDEN / "v1_shared.odps", GOLDEN / "v1_task.odpt"


def test_the_shared_file():
    shared = files.read_shared(SHARED)
    assert shared.topology == "PARALLEL"
    assert shared.base_fingerprint == "c0ffee00" * 8
    assert {n: f.tolist() for n, f in shared.factors.items()} == {
        "fpn/a/kernel": [[1.0, 2.0, 3.0], [0.5, -1.0, 8.0]],
        "fpn/b/kernel": [[0.25, 0.0]],
    }


def test_the_task():
    found = expand.expand_files(SHARED, TASK)
    assert found == Patch(
        "PARALLEL_ADAPTERS",
        "c0ffee00" * 8,
        (
            AddProductAtCentre(
                "fpn/a/kernel",
                [[1.0, 3.0, 1.0, 2.0, 3.0], [2.0, 4.0, 0.5, -1.0, 8.0]],
            ),
            AddAtCentre("backbone/Conv1/kernel", [[0.5]]),
            AddProductAtCentre("fpn/b/kernel", [[7.0, 0.25, 0.0]]),
            ScaleOffset("fpn/bn", [1.5], [-2.0]),
        ),
        (LabelMapItem(1, "cat", "Cat"),),
        {"note": "golden"},
    )


def test_what_they_say_of_themselves():
    shared, task = inspection.describe(SHARED), inspection.describe(TASK)
    assert task["shared_sha256"] == shared["sha256"]
    assert (task["file"], shared["file"]) == ("task file", "shared file")
    assert shared["topology"] == "PARALLEL"
    for description, path in ((shared, SHARED), (task, TASK)):
        size = path.stat().st_size
        assert description["file_bytes"] == size
        assert description["within"]["bytes_by_kind"]["total"] == size - 88
    text = inspection.as_text(task)
    assert f"shared file  {shared['sha256']}" in text
    assert "task file, " in text.splitlines()[0]
