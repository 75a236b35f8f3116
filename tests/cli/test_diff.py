"""`od-patch diff`: what it asks for and what it passes on."""

from __future__ import annotations

import json
import os

import pytest

from object_detection_patch import cli
from object_detection_patch.checkpoints import diff, differences, distill
from object_detection_patch.patch_file import (
    COMPACT,
    AddSigned,
    LabelMapItem,
    Patch,
    ScaleOffset,
    read_patch,
    to_bytes,
)

_REQUIRED = ("--base_checkpoint=runs/base", "--tuned_checkpoint=runs/tuned")
_PATCH = Patch(
    "DIFF",
    "ab" * 32,
    (
        AddSigned("fpn/a/kernel", [True] * 9, 0.25),
        ScaleOffset("fpn/bn", [1.0] * 8, [0.5] * 8),
    ),
    (LabelMapItem(1, "cat", "Cat"),),
    {"diff": {"relative_error": 0.5}},
)
_LAYERS = (
    differences.KernelError("fpn/a/kernel", 9, 4.0, 2.0, True),
    differences.KernelError("fpn/b/kernel", 1, 0.0, 0.0, False),
)
_BEFORE = distill.OutputDifference(boxes=0.25, classes=0.5, images=3)
_AFTER = distill.OutputDifference(boxes=0.125, classes=0.25, images=3)


@pytest.fixture(
    params=[
        None,
        distill.Distilled(_PATCH.edits, 0, _BEFORE, None),
        distill.Distilled(_PATCH.edits, 200, _BEFORE, _AFTER),
    ],
    ids=["plain", "measured", "distilled"],
)
def distilled(request):
    return request.param


@pytest.fixture
def diffed(distilled):
    return diff.DiffedPatch(_PATCH, _LAYERS, distilled, "base-0", "tuned-1")


@pytest.fixture
def compared(calls, diffed):
    calls.intercept(diff, diff=diffed, report="two lines of text")
    return calls.made


@pytest.fixture
def output(tmp_path):
    return str(tmp_path / "task.patch")


def test_the_defaults(compared, diffed, output, capsys):
    assert cli.main(["diff", *_REQUIRED, f"--output={output}"]) == 0
    unset = ("base_config", "tuned_config", "label_map")
    unset += ("distill_records", "distill_steps")
    assert compared == [
        ("diff", ("runs/base", "runs/tuned"), dict.fromkeys(unset)),
        ("report", (diffed, output), {}),
    ]
    assert read_patch(output).method == "DIFF"
    assert capsys.readouterr().out == "two lines of text\n"


def test_every_option(compared, output):
    given = {
        "base_config": "a.config",
        "tuned_config": "b.config",
        "label_map": "d.pbtxt",
        "distill_records": "c.record-*",
        "distill_steps": 7,
    }
    options = [f"--{name}={value}" for name, value in given.items()]
    assert cli.main(["diff", *_REQUIRED, f"--output={output}", *options]) == 0
    assert compared[0] == ("diff", ("runs/base", "runs/tuned"), given)


def test_an_encoding(compared, output):
    words = ["diff", *_REQUIRED, f"--output={output}", "--encoding=compact"]
    assert cli.main(words) == 0
    with open(output, "rb") as file:
        assert file.read() == to_bytes(_PATCH, encoding=COMPACT)


def test_json(compared, distilled, output, capsys):
    words = ["diff", *_REQUIRED, f"--output={output}", "--json"]
    assert cli.main(words) == 0
    found = json.loads(capsys.readouterr().out)
    before = {"boxes": 0.25, "classes": 0.5, "images": 3}
    after = {"boxes": 0.125, "classes": 0.25, "images": 3}
    shown = distilled and {
        "steps": distilled.steps,
        "helped": distilled.steps > 0,
        "before": before,
        "after": after if distilled.steps else None,
    }
    assert found == {
        "output": output,
        "file_bytes": os.path.getsize(output),
        "base_checkpoint": "base-0",
        "tuned_checkpoint": "tuned-1",
        "relative_error": 0.5,
        "layers": [
            {
                "name": "fpn/a/kernel",
                "weights": 9,
                "change": 4.0,
                "error": 2.0,
                "edited": True,
                "relative": 0.5,
            },
            {
                "name": "fpn/b/kernel",
                "weights": 1,
                "change": 0.0,
                "error": 0.0,
                "edited": False,
                "relative": 0.0,
            },
        ],
        "distilled": shown,
    }


def test_a_missing_folder_is_refused_first(compared, tmp_path, capsys):
    output = str(tmp_path / "none" / "task.patch")
    assert cli.main(["diff", *_REQUIRED, f"--output={output}"]) == 2
    assert compared == []
    assert "The folder of `--output` must exist." in capsys.readouterr().err
