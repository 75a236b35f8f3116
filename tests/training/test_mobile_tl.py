"""MobileTL on a MobileNetV2 FPNLite detector: what trains, what is kept."""

from __future__ import annotations

import pathlib

import pytest

from object_detection_patch import cli
from object_detection_patch.od_api import pipeline_config
from object_detection_patch.profiling import costs, ssd
from object_detection_patch.training import patched_model, trainable


def _config(small_world, options: str) -> str:
    """A config of the small world with that `mobile_tl` in it."""
    path = small_world.config("shapes", "BN_PATCH", name="_mobile_tl")
    text = pathlib.Path(path).read_text(encoding="utf-8")
    patch = f"part {{ mobile_tl {{ {options} }} }}"
    assert text.count("preset: BN_PATCH") == 1
    digest = "".join(c for c in options if c.isalnum())
    written = pathlib.Path(path).with_name(f"mobile_tl_{digest}.config")
    written.write_text(
        text.replace("preset: BN_PATCH", patch), encoding="utf-8"
    )
    return str(written)


def _built(path):
    pipeline = pipeline_config.read_pipeline(path)
    return patched_model.build_patched(
        pipeline.model, pipeline_config.patch_of(pipeline), is_training=True
    )


@pytest.fixture(scope="module")
def model(small_world):
    """A patched SSD whose two top blocks train."""
    return _built(_config(small_world, "trainable_blocks: 2"))


def test_blocks_fpn_tower_and_heads_train(model):
    names = trainable.moving_names(model, model.patch.hosts)
    places = {name.partition("/")[0] for name in names}
    assert places == {"backbone", "fpn", "tower", "box_head", "class_head"}
    of_places = model.patch.hosts.base_tensors() | (
        model.patch.hosts.head_tensors()
    )
    above = {n for n in of_places if not n.startswith("backbone/")}
    assert above <= set(names)
    backbone = {n.removeprefix("backbone/") for n in names if n not in above}
    expected = {"Conv_1/kernel"}
    norm = ("gamma", "beta", "moving_mean", "moving_variance")
    expected |= {f"Conv_1_bn/{key}" for key in norm}
    for block in ("block_15", "block_16"):
        expected |= {
            *(f"{block}_expand/kernel", f"{block}_project/kernel"),
            f"{block}_depthwise/depthwise_kernel",
            *(f"{block}_expand_BN/beta", f"{block}_depthwise_BN/beta"),
            *(f"{block}_project_BN/{key}" for key in norm),
        }
    assert backbone == expected


def test_a_profile_shows_what_is_not_kept(model):
    """Of 2 images: 3 x 3 places and 336 channels in the top blocks."""
    rows = costs.by_layer(ssd.network_of(model, 2, (96, 96)), slots=2)
    rows = {row.name: row for row in rows}
    elements = 2 * 3 * 3 * 336
    for block in ("block_15", "block_16"):
        for role in ("expand", "depthwise"):
            assert rows[f"{block}_{role}_BN"].kept_bytes == 0
            assert rows[f"{block}_{role}_relu"].kept_bytes == elements // 8
        assert rows[f"{block}_depthwise"].kept_bytes == 4 * elements
        assert rows[f"{block}_project"].kept_bytes == 4 * elements
        assert rows[f"{block}_project_BN"].kept_bytes > 0
    below = [r for n, r in rows.items() if n.startswith("block_14_")]
    assert below
    for row in [*below, rows["Conv1"], rows["bn_Conv1"]]:
        assert row.backward_flops == row.kept_bytes == 0


def test_more_blocks_than_there_are_end_in_one_line(small_world, capsys):
    path = _config(small_world, "trainable_blocks: 18")
    assert cli.main(["profile", f"--pipeline_config_path={path}"]) == 2
    assert capsys.readouterr().err == (
        "od-patch: `mobile_tl.trainable_blocks` must be at most the number of "
        "inverted residual blocks of the base, 17. Received: 18 "
        "(pipeline.config, [object_detection_patch.patch]).\n"
    )


@pytest.mark.usefixtures("eager_functions")
def test_the_loop_trains_it_and_its_patch_can_be_extracted(
    small_world, train_steps, tmp_path, capsys
):
    path = _config(small_world, "trainable_blocks: 1")
    train_steps(path, str(tmp_path / "model"), steps=2)
    output = tmp_path / "task.patch"
    arguments = (
        "extract",
        f"--pipeline_config_path={path}",
        f"--checkpoint_dir={tmp_path / 'model'}",
        f"--output={output}",
    )
    assert cli.main(arguments) == 0, capsys.readouterr().err
    assert output.stat().st_size > 1000
