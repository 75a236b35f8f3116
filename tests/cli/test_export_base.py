"""`od-patch export-base`: what it asks for and what it passes on."""

from __future__ import annotations

import pytest

from object_detection_patch import cli
from object_detection_patch.cli import export_base
from object_detection_patch.export import base
from object_detection_patch.export.policy_graph import PolicySize
from object_detection_patch.od_api import export_tflite
from object_detection_patch.protos import patch_pb2

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
                "policy": None,
                "resolutions": (),
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


def test_sizes_are_squares_or_not(exported):
    assert cli.main([*_REQUIRED, "--resolutions", "320", "160x256"]) == 0
    assert exported[0][2]["resolutions"] == [(320, 320), (160, 256)]


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
        ("--resolutions=big", "must be pixels of a side, as 160"),
    ],
)
def test_bad_values(exported, capsys, option, message):
    with pytest.raises(SystemExit) as caught:
        cli.main([*_REQUIRED, option])
    assert caught.value.code == 2
    assert message in capsys.readouterr().err
    assert exported == []


@pytest.mark.parametrize(
    ("flags", "size"),
    [
        ([], (3, 8)),
        (["--policy_blocks=4"], (4, 8)),
        (["--policy_blocks=2", "--policy_channels=16"], (2, 16)),
    ],
)
def test_a_routing_base_has_a_policy_of_the_trainings_size(
    exported, flags, size
):
    assert cli.main([*_REQUIRED, "--routing", *flags]) == 0
    assert exported[0][2]["policy"] == PolicySize(*size)


def test_a_routing_bases_defaults_are_the_trainings():
    policy = patch_pb2.InstanceRouting().policy
    assert (policy.blocks, policy.channels) == (
        export_base._POLICY_BLOCKS,
        export_base._POLICY_CHANNELS,
    )


@pytest.mark.parametrize("flag", ["--policy_blocks", "--policy_channels"])
def test_an_ordinary_base_has_no_policy(exported, capsys, flag):
    assert cli.main([*_REQUIRED, f"{flag}=3"]) != 0
    assert f"`{flag}` is for a routing base" in capsys.readouterr().err
    assert not exported
