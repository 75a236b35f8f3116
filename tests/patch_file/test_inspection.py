"""`od-patch inspect`: its rows, its sums, its text."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from object_detection_patch.patch_file import (
    AddAtCentre,
    AddProductAtCentre,
    AddSigned,
    AffineMask,
    Encoding,
    KeepMasked,
    MixOutputs,
    MixOutputsByProduct,
    Numbers,
    Patch,
    Release,
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


VERSION_2 = dataclasses.replace(
    PATCH,
    edits=(
        *PATCH.edits,
        Replace("box_head/b/bias", np.linspace(-1, 1, 100)),
        Replace("fpn/c/kernel", np.zeros(1000)),
    ),
    releases=(
        Release("12" * 32, "34" * 32, ((0.5, 0), (0.25, -1))),
        Release("56" * 32, "78" * 32),
    ),
    model_metadata=bytes(1234),
)
ENCODING = Encoding(
    kernels=Numbers("float16", "planes"), box_head=Numbers("grid", bits=4)
)


class _Signer:
    public_key = b"\xab" * 32

    def sign(self, message: bytes) -> bytes:
        return bytes(64)


@pytest.fixture
def description_2(tmp_path):
    path = tmp_path / "a.patch"
    write_patch(path, VERSION_2, encoding=ENCODING, sign=_Signer())
    return describe(path), path.stat().st_size


def test_version_1_has_the_keys_that_it_always_had(description):
    described = description[0]

    assert described["format_version"] == 1
    assert "releases" not in described
    assert "signature" not in described["bytes_by_kind"]
    assert {row["max_error"] for row in described["layers"]} == {None}


def test_version_2(description_2):
    described, size = description_2

    assert described["format_version"] == 2
    assert described["releases"] == [
        {
            "base_sha256": "12" * 32,
            "result_sha256": "34" * 32,
            "activations": 2,
        },
        {
            "base_sha256": "56" * 32,
            "result_sha256": "78" * 32,
            "activations": 0,
        },
    ]
    assert described["model_metadata_bytes"] == 1234
    assert described["signed_by"] == "ab" * 32
    sums = described["bytes_by_kind"]
    assert sums["signature"] == 96
    *parts, total = sums.values()
    assert sum(parts) == total == size
    assert json.loads(json.dumps(described)) == described


def test_unsigned_version_2(tmp_path):
    path = tmp_path / "a.patch"
    write_patch(path, VERSION_2)
    described = describe(path)

    assert described["signed_by"] is None
    assert "signature" not in described["bytes_by_kind"]
    assert "signed by    nobody" in as_text(described).splitlines()


def test_rows_of_version_2(description_2):
    rows = {row["name"]: row for row in description_2[0]["layers"]}
    columns = ("value_type", "compression", "bits", "bytes")

    def of(name):
        return tuple(rows[name][column] for column in columns)

    assert of("box_head/b/bias") == ("grid4", "none", 464, 58)
    assert rows["box_head/b/bias"]["max_error"] == pytest.approx(1 / 15)
    assert of("fpn/c/kernel")[:3] == ("float16", "planes", 16_000)
    assert of("fpn/c/kernel")[3] < 50
    # Too few to be smaller on a grid.
    assert of("box_head/b/kernel") == ("float32", "none", 64, 8)
    assert rows["box_head/b/kernel"]["max_error"] is None
    assert rows["backbone/d/kernel"]["max_error"] is None


def test_text_of_version_2(description_2):
    lines = as_text(description_2[0]).splitlines()
    rows = {line.split(" ")[0]: line.split() for line in lines if line}

    for line in (
        "model data   1,234 bytes of TFLite Model Metadata",
        f"signed by    {'ab' * 32}, not verified",
        f"released for {'12' * 32}",
        f"  result     {'34' * 32}, 2 activations",
        f"  result     {'78' * 32}, 0 activations",
    ):
        assert line in lines
    assert rows["layer"][-3:] == ["values", "packed", "error"]
    assert rows["box_head/b/bias"][-3:] == ["grid4", "none", "0.067"]
    assert rows["fpn/c/kernel"][-3:] == ["float16", "planes", "-"]
    assert rows["backbone/d/kernel"][-3:] == ["-", "-", "-"]
    assert rows["signature"] == ["signature", "96", "bytes"]


def test_matrices_between_channels(tmp_path):
    edits = (
        AddAtCentre("backbone/a/kernel", np.ones((3, 4))),
        AddProductAtCentre("backbone/b/kernel", np.ones((1, 7))),
        MixOutputs("fpn/c/kernel", np.ones((2, 2))),
        MixOutputsByProduct("tower/d/kernel", np.ones((1, 6))),
    )
    write_patch(tmp_path / "a.patch", Patch("X", "ab" * 32, edits))
    described = describe(tmp_path / "a.patch")
    columns = ("edit", "gate", "shape", "weights", "bits", "bytes")

    assert described["format_version"] == 3
    rows = described["layers"]
    assert [tuple(row[column] for column in columns) for row in rows] == [
        ("add_at_centre", None, [3, 4], 12, 384, 48),
        ("add_product_at_centre", None, [1, 7], 7, 224, 28),
        ("mix_outputs", None, [2, 2], 4, 128, 16),
        ("mix_outputs_by_product", None, [1, 6], 6, 192, 24),
    ]
    assert described["bytes_by_kind"]["kernels"] == 116
    assert "add_product_at_centre" in as_text(described)
