"""`od-patch export-base`: what it asks for and what it passes on."""

from __future__ import annotations

import pytest

from object_detection_patch import cli
from object_detection_patch.export import base
from object_detection_patch.od_api import export_tflite

_REQUIRED = (
    *("export-base", "--pipeline_config_path=base.config"),
    *("--checkpoint_dir=runs/base", "--output_dir=out"),
)


@pytest.fixture
def exported(calls):
    calls.intercept(
        base,
        export_base="what was made",
        report="base.tflite: 1 byte",
    )
    return calls.made


def test_the_defaults(exported, capsys):
    assert cli.main(_REQUIRED) == 0
    assert exported == [
        (
            "export_base",
            (),
            {
                "pipeline_config_path": "base.config",
                "checkpoint_dir": "runs/base",
                "output_dir": "out",
                "precision": "float32",
                "calibration_records": None,
                "calibration_images": 100,
                "max_classes": 1000,
                "max_detections": None,
                "regular_nms": False,
                "eval_records": None,
                "snap": False,
            },
        ),
        ("report", ("what was made",), {}),
    ]
    assert capsys.readouterr().out == "base.tflite: 1 byte\n"


def test_every_option(exported):
    given = {
        "precision": "int8",
        "calibration_records": "a.record-*",
        "calibration_images": 7,
        "max_classes": 20,
        "max_detections": 30,
        "eval_records": "b.record",
    }
    options = [f"--{name}={value}" for name, value in given.items()]
    flags = {"snap": True, "regular_nms": True}
    options += [f"--{name}" for name in flags]
    assert cli.main([*_REQUIRED, *options]) == 0
    (_, _, keywords), _ = exported
    assert keywords | given | flags == keywords


def test_help_tells_the_default_that_the_exporter_has(capsys):
    with pytest.raises(SystemExit):
        cli.main(["export-base", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert export_tflite.MAX_DETECTIONS == 10
    assert "returns for an image (default: 10, as of the OD API's" in told


def test_help_says_that_snapping_changes_what_is_published(capsys):
    with pytest.raises(SystemExit):
        cli.main(["export-base", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert "checkpoint/ holds the rounded kernels too" in told
    assert "also write" not in told


def test_int8_without_records_is_refused_first(exported, capsys):
    assert cli.main([*_REQUIRED, "--precision=int8"]) == 2
    assert exported == []
    assert capsys.readouterr().err == (
        "od-patch: `--precision int8` needs `--calibration_records`, images "
        "on which the ranges of the activations are measured. Received: "
        "none.\n"
    )


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--precision=int4", "invalid choice: 'int4'"),
        ("--max_classes=0", "--max_classes: must be 1 or more. Received: 0"),
        ("--max_detections=-1", "--max_detections: must be 1 or more"),
        ("--calibration_images=x", "invalid count value: 'x'"),
    ],
)
def test_bad_values(exported, capsys, option, message):
    with pytest.raises(SystemExit) as caught:
        cli.main([*_REQUIRED, option])
    assert caught.value.code == 2
    assert message in capsys.readouterr().err
    assert exported == []
