"""`od-patch inspect`: its rows, its sums, its text."""

from __future__ import annotations

import json

import numpy as np
import pytest

from object_detection_patch.patch_file import (
    AddSigned,
    AffineMask,
    KeepMasked,
    Patch,
    Replace,
    ScaleOffset,
    errors,
    write_patch,
)
from object_detection_patch.patch_file.inspection import as_text, describe

PATCH = Patch(
    "SPOTPATCH",
    "ab" * 32,
    (
        AddSigned("backbone/a/kernel", np.ones((3, 3, 1, 2), bool), 0.25),
        AffineMask("fpn/b/kernel", np.ones(8, bool), 1, 2, 3),
        KeepMasked("tower/c/kernel", np.ones(16, bool)),
        ScaleOffset("fpn/bn", [1, 2, 3], [4, 5, 6]),
        Replace("fpn/b/bias", [1]),
        Replace("box_head/b/kernel", [1, 2]),
        ScaleOffset("class_head/bn", [1], [2]),
    ),
    metadata={
        "gateable": [
            {"name": "backbone/a/kernel", "weights": 18},
            {"name": "backbone/d/kernel", "weights": 1234},
        ]
    },
)


@pytest.fixture
def description(tmp_path):
    write_patch(tmp_path / "a.patch", PATCH)
    return describe(tmp_path / "a.patch"), (tmp_path / "a.patch").stat().st_size


def test_rows(description):
    rows = description[0]["layers"]
    columns = ("name", "place", "edit", "gate", "scale", "bits", "bytes")

    assert [tuple(row[column] for column in columns) for row in rows] == [
        ("backbone/a/kernel", "backbone", "add_signed", "open", 0.25, 50, 7),
        ("fpn/b/kernel", "fpn", "affine_mask", None, [1, 2, 3], 104, 13),
        ("tower/c/kernel", "tower", "keep_masked", None, None, 16, 2),
        ("fpn/bn", "fpn", "scale_offset", None, None, 192, 24),
        ("fpn/b/bias", "fpn", "replace", None, None, 32, 4),
        ("box_head/b/kernel", "box_head", "replace", None, None, 64, 8),
        ("class_head/bn", "class_head", "scale_offset", None, None, 64, 8),
        ("backbone/d/kernel", "backbone", None, "closed", None, 0, 0),
    ]
    assert [row["weights"] for row in rows] == [18, 8, 16, 6, 1, 2, 2, 1234]
    assert rows[0]["shape"] == [3, 3, 1, 2]
    assert description[0]["gates"] == {"open": 1, "closed": 1}


def test_sums_add_up_to_the_file(description):
    sums, size = description[0]["bytes_by_kind"], description[1]

    assert sums == {
        "masks": 3 + 1 + 2,
        "scales": 4 + 12,
        "batch_norm": 24,
        "kernels": 4,
        "box_head": 8,
        "class_head": 8,
        "header": size - 66,
        "total": size,
    }


def test_sums_of_a_compressed_file(tmp_path, spotpatch):
    path = tmp_path / "a.patch"
    write_patch(path, spotpatch, value_type="float16", compression="zlib")
    described = describe(path)
    *parts, total = described["bytes_by_kind"].values()

    assert sum(parts) == total == path.stat().st_size
    assert described["bytes_by_kind"]["scales"] == 71 * 4
    assert {row["value_type"] for row in described["layers"]} == {
        "bit",
        "float16",
    }
    # Random bits do not shrink, heads of random float16 do a little.
    assert described["layers"][1]["compression"] == "none"
    assert described["layers"][-2]["compression"] == "zlib"


def test_is_json(description):
    assert json.loads(json.dumps(description[0])) == description[0]


def test_text(description):
    lines = as_text(description[0]).splitlines()

    assert lines[0] == "method       SPOTPATCH"
    assert "gates        1 open, 1 closed" in lines
    (row,) = (line for line in lines if line.startswith("backbone/a"))
    assert row.split() == [
        "backbone/a/kernel", "add_signed", "open", "0.25", "18", "50", "7",
    ]  # fmt: skip
    (row,) = (line for line in lines if line.startswith("backbone/d"))
    assert row.split() == [
        "backbone/d/kernel", "-", "closed", "-", "1,234", "0", "0",
    ]  # fmt: skip
    (row,) = (line for line in lines if line.startswith("fpn/b/kernel"))
    assert "1 2 3" in row
    assert lines[-1].split() == ["total", f"{description[1]:,}", "bytes"]


def test_text_of_a_patch_without_edits(tmp_path):
    write_patch(tmp_path / "a.patch", Patch("X", "ab" * 32, ()))
    text = as_text(describe(tmp_path / "a.patch"))

    assert "0 open, 0 closed" in text


@pytest.mark.parametrize(
    "gateable",
    [5, ["backbone/a"], [{"name": "a"}], [{"name": 1, "weights": 1}]]
    + [[{"name": "a", "weights": -1}], [{"name": "a", "weights": True}]],
)
def test_malformed_gateable(tmp_path, gateable):
    path = tmp_path / "a.patch"
    write_patch(path, Patch("X", "ab" * 32, (), (), {"gateable": gateable}))
    with pytest.raises(errors.MetadataError, match="`gateable` .* Received"):
        describe(path)


@pytest.mark.parametrize("name", ["\x1b[2J", "fpn/\u202ek", "fpn/k\u200b"])
def test_gateable_name_that_deceives(tmp_path, name):
    rows = [{"name": name, "weights": 1}]
    write_patch(
        tmp_path / "a.patch", Patch("X", "ab" * 32, (), (), {"gateable": rows})
    )
    with pytest.raises(errors.TextError, match="gateable.name"):
        describe(tmp_path / "a.patch")
