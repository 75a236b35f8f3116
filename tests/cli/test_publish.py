"""`od-patch publish`: what it asks for and what it passes on."""

from __future__ import annotations

import pytest

from object_detection_patch import cli
from object_detection_patch.export import release
from object_detection_patch.patch_file import ENCODINGS

_INPUTS = {"patch": "task.patch", "base": "base.tflite"}


@pytest.fixture
def published(calls):
    calls.intercept(
        release,
        publish="what was made",
        report="released.patch: 1 byte",
    )
    return calls.made


def _options(given):
    return [f"--{name}={value}" for name, value in given.items()]


def _passed(published):
    (name, positional, passed), reported = published
    assert (name, positional) == ("publish", ())
    assert reported == ("report", ("what was made",), {})
    return passed


def test_the_defaults(published, capsys, tmp_path):
    output = str(tmp_path / "released.patch")
    given = _INPUTS | {"output": output}
    assert cli.main(["publish", *_options(given)]) == 0
    assert _passed(published) == {
        "patch": "task.patch",
        "bases": ["base.tflite"],
        "output": output,
        "records": release.TaskRecords(),
        "encoding": None,
        "name": "",
        "description": "",
        "sign": None,
    }
    assert capsys.readouterr().out == "released.patch: 1 byte\n"


@pytest.mark.parametrize("encoding", list(ENCODINGS))
def test_every_option(published, tmp_path, encoding):
    options = {
        "patch": "task.patch",
        "output": str(tmp_path / "released.patch"),
        "encoding": encoding,
        "name": "Faces",
        "description": "Finds faces.",
        "sign": "key.pem",
    }
    records = {
        "pipeline_config_path": "base/checkpoint/pipeline.config",
        "checkpoint_dir": "base/checkpoint",
        "calibration_records": "a.record-*",
        "calibration_images": 7,
        "eval_records": "b.record",
    }
    bases = ["--base", "a.tflite", "b.tflite"]
    verb = ["publish", *_options(options | records), *bases]
    assert cli.main(verb) == 0
    assert _passed(published) == options | {
        "bases": ["a.tflite", "b.tflite"],
        "records": release.TaskRecords(
            "base/checkpoint/pipeline.config",
            "base/checkpoint",
            "a.record-*",
            7,
            "b.record",
        ),
    }


def test_a_missing_folder_is_refused_first(published, tmp_path, capsys):
    given = _INPUTS | {"output": str(tmp_path / "none" / "released.patch")}
    assert cli.main(["publish", *_options(given)]) == 2
    assert published == []
    error = capsys.readouterr().err
    assert error.startswith("od-patch: The folder of `--output` must exist.")


def test_an_unknown_encoding(published, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["publish", "--encoding=tiny"])
    assert caught.value.code == 2
    assert "invalid choice: 'tiny'" in capsys.readouterr().err
