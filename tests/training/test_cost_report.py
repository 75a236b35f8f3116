"""Footprints counted from the built narrow model: footprint.md's table."""

import json
import pathlib

import object_detection
import pytest

from object_detection_patch import cli, recipes
from object_detection_patch.training import cost_report

# T and what a patch holds, as footprint.md counts them.
_TOTAL = 2_095_512
_KERNELS = 2_051_520
_BATCH_NORM = 38_208
_CONST = 5_400
_DEPTHWISE = 73_440

# Preset -> percent at 32 and at 8 bits (the paper's Tables 3 and 4).
_PERCENT = {
    "SPOTPATCH": (5.1438, _CONST + _BATCH_NORM + 71),
    "WEIGHTTRANS": (5.1506, _CONST + _BATCH_NORM + 3 * 71),
    "PIGGYBACK": (3.3171, _CONST),
    "BN_PATCH": (2.0810, _CONST + _BATCH_NORM),
    "DW_PATCH": (3.7623, _CONST + _DEPTHWISE),
    "BN_DW_PATCH": (5.5857, _CONST + _DEPTHWISE + _BATCH_NORM),
    "TOWER_PATCH": (3.8494, None),
    "FINE_TUNING": (100.0, _TOTAL),
}
_MASKED = ("SPOTPATCH", "WEIGHTTRANS", "PIGGYBACK")


def _config(folder: pathlib.Path, preset: str) -> str:
    path = folder / f"{preset}.config"
    path.write_text(
        recipes.pipeline_text(
            recipes.NARROW_320,
            recipes.TaskData(37, "r", "r", "l"),
            preset=preset,
            fine_tune_checkpoint="base/ckpt-1",
            num_steps=1,
            batch_size=1,
        )
    )
    return str(path)


def _printed(capsys, *arguments: str) -> str:
    assert cli.main(["footprint", *arguments]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("preset", _PERCENT)
def test_float_footprint_of_every_preset(tmp_path, capsys, preset):
    path = _config(tmp_path, preset)
    counted = json.loads(
        _printed(capsys, f"--pipeline_config_path={path}", "--json")
    )
    assert counted["base"] == {
        "host_kernels": 71,
        "parameters": _TOTAL,
        "bytes": 4 * _TOTAL,
    }
    percent, floats = _PERCENT[preset]
    row = counted["all_gates_open"]
    assert row["nominal_percent"] == percent
    if floats is not None:
        mask_bits = _KERNELS if preset in _MASKED else 0
        assert row["nominal_bits"] == mask_bits + 32 * floats
    assert row["class_head_bytes"] == 4 * (128 * 6 * 38 + 6 * 38)
    assert counted["gated"] == (preset == "SPOTPATCH")
    assert ("no_gate_open" in counted) == counted["gated"]
    if counted["gated"]:
        assert counted["no_gate_open"]["nominal_percent"] == 2.0810


@pytest.mark.parametrize(
    ("preset", "nine_tasks"),
    # footprint.md's last column; each is nine times one task's share.
    [
        ("SPOTPATCH", "1.29"),
        ("WEIGHTTRANS", "1.29"),
        ("PIGGYBACK", "1.12"),
        ("BN_PATCH", "0.19"),
        ("DW_PATCH", "0.34"),
        ("BN_DW_PATCH", "0.50"),
        ("TOWER_PATCH", "0.35"),
    ],
)
def test_8_bit_footprint(tmp_path, preset, nine_tasks):
    counted = cost_report.count(_config(tmp_path, preset), 8)
    row = counted["all_gates_open"]
    assert counted["base"]["bytes"] == _TOTAL
    assert f"{9 * row['nominal_bits'] / (8 * _TOTAL):.2f}" == nine_tasks
    floats = _PERCENT[preset][1]
    if floats is not None:
        mask_bits = _KERNELS if preset in _MASKED else 0
        assert row["nominal_bits"] == mask_bits + 8 * floats


def test_text_for_people(tmp_path, capsys):
    printed = _printed(
        capsys, f"--pipeline_config_path={_config(tmp_path, 'SPOTPATCH')}"
    )
    assert (
        "SPOTPATCH on a base of 2,095,512 counted parameters (7.99 MiB at 32 "
        "bits), 71 host kernels" in printed
    )
    assert "every gate open" in printed and " 5.1438 %" in printed
    assert "no gate open" in printed and " 2.0810 %" in printed


@pytest.mark.parametrize(
    "name",
    [
        "ssd_mobilenet_v2_fpnlite_640x640_coco17_tpu-8.config",
        "ssd_mobilenet_v1_fpn_640x640_coco17_tpu-8.config",
        "ssd_resnet50_v1_fpn_640x640_coco17_tpu-8.config",
    ],
)
def test_counts_other_hosts(tmp_path, name):
    stock = pathlib.Path(object_detection.__file__).parent / "configs" / "tf2"
    text = (stock / name).read_text()
    for extractor in ("mobilenet_v1_fpn", "resnet50_v1_fpn"):
        text = text.replace(
            f'type: "ssd_{extractor}"', f'type: "ssd_{extractor}_keras"'
        )
    path = tmp_path / name
    path.write_text(
        text + "\n[object_detection_patch.patch] { preset: SPOTPATCH }\n"
    )
    counted = cost_report.count(str(path), 32)
    largest = counted["all_gates_open"]["nominal_percent"]
    smallest = counted["no_gate_open"]["nominal_percent"]
    # A mask of 1 bit a weight is at most 1/32 of the model.
    assert 0 < smallest < largest < smallest + 100 / 32


def test_refuses_a_config_without_a_patch(small_world, capsys):
    path = small_world.base_config
    assert cli.main(["footprint", f"--pipeline_config_path={path}"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("od-patch: This needs a config with a patch")
    assert path in error


def test_files_of_a_config(tmp_path, capsys):
    path = _config(tmp_path, "SPOTPATCH")
    counted = cost_report.count(path, bits=32)
    row = counted["all_gates_open"]
    whole = row["nominal_bytes"] + row["class_head_bytes"]

    assert counted["target_file_bytes"] is None
    # FORMAT.md: nominal size, class head and 4 KiB.
    assert whole - 4 * 71 < row["file_bytes"] < whole + 4096
    assert counted["no_gate_open"]["file_bytes"] < row["file_bytes"]


def test_the_file_of_a_config_with_a_grid_and_a_target(tmp_path, capsys):
    path = pathlib.Path(_config(tmp_path, "COMPACT"))
    text = path.read_text()
    path.write_text(
        text.replace(
            "preset: COMPACT", "preset: COMPACT target_file_bytes: 60000"
        )
    )
    counted = cost_report.count(str(path), bits=32)
    smallest = counted["no_gate_open"]["file_bytes"]

    # BatchNorms in 5 bits and heads in 4, instead of 32 each.
    floats = counted["no_gate_open"]["nominal_bytes"]
    floats += counted["no_gate_open"]["class_head_bytes"]
    assert floats * 4 / 32 < smallest < floats * 8 / 32
    masks = counted["all_gates_open"]["file_bytes"] - smallest
    assert _KERNELS // 8 <= masks < _KERNELS // 8 + 71 * 64
    assert counted["target_file_bytes"] == 60_000
    assert (
        "target_file_bytes keeps the whole file to 60,000 bytes"
        in cost_report.as_text(counted)
    )
