"""`od-patch inspect` as a person or a script meets it."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import re
import struct

import pytest

from object_detection_patch import cli
from object_detection_patch.patch_file import (
    AddSigned,
    LabelMapItem,
    Patch,
    Replace,
    ScaleOffset,
    write_patch,
)

ROOT = pathlib.Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "patch_file" / "golden" / "v1_every_edit.patch"
SIDECAR = ROOT / "tests/tflite/attacks/files/sound_float32.odpatch"
PATCH = Patch(
    "SPOTPATCH",
    "ab" * 32,
    (
        AddSigned("fpn/a/kernel", [True] * 9, 0.25),
        ScaleOffset("fpn/a_bn", [1, 2], [3, 4]),
        Replace("class_head/b/bias", [5]),
    ),
    (LabelMapItem(1, "cat", "Cat"),),
    {
        "gateable": [
            {"name": "fpn/a/kernel", "weights": 9},
            {"name": "tower/c/kernel", "weights": 1152},
        ]
    },
)
TEXT = """\
method       SPOTPATCH
base         {base}
classes      1
gates        1 open, 1 closed

layer              edit          gate    scale  weights  bits  bytes
fpn/a/kernel       add_signed    open     0.25        9    41      6
fpn/a_bn           scale_offset  -           -        4   128     16
class_head/b/bias  replace       -           -        1    32      4
tower/c/kernel     -             closed      -    1,152     0      0

masks                2 bytes
scales               4 bytes
batch_norm          16 bytes
kernels              0 bytes
box_head             0 bytes
class_head           4 bytes
header      {header:>10,} bytes
total       {total:>10,} bytes
"""


@pytest.fixture
def path(tmp_path) -> str:
    write_patch(tmp_path / "a.patch", PATCH)
    return str(tmp_path / "a.patch")


def test_text(path, capsys):
    assert cli.main(["inspect", path]) == 0

    printed = capsys.readouterr()
    total = os.path.getsize(path)
    assert printed.out == TEXT.format(
        base="ab" * 32, header=total - 26, total=total
    )
    assert printed.err == ""


def test_the_size_that_a_patch_was_trained_at(tmp_path, capsys):
    metadata = PATCH.metadata | {"training": {"image_size": [64, 96]}}
    path = tmp_path / "a.patch"
    write_patch(path, dataclasses.replace(PATCH, metadata=metadata))
    assert cli.main(["inspect", str(path)]) == 0
    assert "\ntrained at   64 x 96 pixels\n" in capsys.readouterr().out


def test_a_sidecar(capsys):
    assert cli.main(["inspect", str(SIDECAR)]) == 0
    printed = capsys.readouterr().out
    assert "\nprecision    float32\nclasses      2, of tasks up to 5" in printed
    assert cli.main(["inspect", str(SIDECAR), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sizes"] == []


def test_json(capsys):
    assert cli.main(["inspect", str(GOLDEN), "--json"]) == 0

    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert printed.err == ""
    assert list(found) == [
        "format_version",
        "method",
        "base_fingerprint",
        "label_map",
        "metadata",
        "gates",
        "layers",
        "bytes_by_kind",
    ]
    assert found["format_version"] == 1
    assert found["base_fingerprint"] == "c0ffee00" * 8
    assert found["label_map"][1] == {
        "id": 2,
        "name": "Hündin",
        "display_name": "雌犬",
    }
    assert found["metadata"]["training"] == {"steps": 60, "lr": 0.008}
    assert [row["scale"] for row in found["layers"]] == [
        0.0625,
        [1.5, -0.25, 2.0],
        None,
        None,
        None,
        None,
    ]
    assert found["bytes_by_kind"] == {
        "masks": 2 + 1 + 1,
        "scales": 4 + 12,
        "batch_norm": 24,
        "kernels": 0,
        "box_head": 16,
        "class_head": 4,
        "header": GOLDEN.stat().st_size - 64,
        "total": GOLDEN.stat().st_size,
    }


def test_json_is_plain_ascii(capsys):
    """Whatever the terminal's encoding, nothing in it drives a terminal."""
    cli.main(["inspect", str(GOLDEN), "--json"])

    assert capsys.readouterr().out.isascii()


def _flip(data: bytearray) -> None:
    data[-40] ^= 1


def _cut(data: bytearray) -> None:
    del data[-1:]


def _other_kind(data: bytearray) -> None:
    data[:4] = b"PK\3\4"


def _newer(data: bytearray) -> None:
    data[8:12] = struct.pack("<I", 99)


def _empty(data: bytearray) -> None:
    data.clear()


@pytest.mark.parametrize("how", [[], ["--json"]], ids=["text", "json"])
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_flip, "SHA-256 .* copy it again"),
        (_cut, "says that it has .* copy it again"),
        (_other_kind, "A patch file begins with"),
        (_newer, "version 99; install a program"),
        (_empty, "at least 64 bytes"),
    ],
)
def test_damaged_file_is_refused_in_one_line(path, capfd, damage, message, how):
    data = bytearray(pathlib.Path(path).read_bytes())
    damage(data)
    pathlib.Path(path).write_bytes(data)

    assert cli.main(["inspect", path, *how]) == 2
    printed = capfd.readouterr()
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    assert line.startswith("od-patch: ")
    assert line.endswith(f" ({path})")
    assert re.search(message, line)


def test_missing_file(tmp_path, capsys):
    assert cli.main(["inspect", str(tmp_path / "none.patch")]) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert "No such file" in line
    assert "none.patch" in line


def test_folder(tmp_path, capsys):
    assert cli.main(["inspect", str(tmp_path)]) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert "directory" in line


def test_needs_numpy_alone(path, with_numpy_alone):
    shown = with_numpy_alone("inspect", path)
    as_json = with_numpy_alone("inspect", path, "--json")

    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.startswith("method       SPOTPATCH\n")
    assert (as_json.returncode, as_json.stderr) == (0, "")
    assert json.loads(as_json.stdout)["gates"] == {"open": 1, "closed": 1}


def test_damaged_file_with_numpy_alone(path, with_numpy_alone):
    pathlib.Path(path).write_bytes(b"\0" * 100)
    refused = with_numpy_alone("inspect", path)

    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("od-patch: A patch file begins with")
    assert refused.stderr.count("\n") == 1


def test_other_verbs_tell_what_is_missing_with_numpy_alone(
    path, with_numpy_alone
):
    """The block of the tests above does block."""
    merged = with_numpy_alone(
        "merge",
        *("--base_config", "none", "--base_checkpoint", "none"),
        *("--patch", path, "--output_dir", "none"),
    )

    assert merged.returncode == 2
    assert "`od-patch doctor` tells what is missing" in merged.stderr
    assert merged.stderr.count("\n") == 1


def test_help_of_value_type_leaves_scales_out(capsys):
    """Single scales are float32 always: test_writer.py."""
    with pytest.raises(SystemExit):
        cli.main(["extract", "--help"])

    words = " ".join(capsys.readouterr().out.split())
    assert "how BatchNorm and heads are stored (default: float32)" in words
