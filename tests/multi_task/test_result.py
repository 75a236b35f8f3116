"""One new base and a patch for each task, which give the tasks' models."""

import json
import pathlib

import numpy as np
import pytest
import tensorflow as tf

from object_detection_patch import cli
from object_detection_patch.checkpoints import merge
from object_detection_patch.hosts import fingerprint
from object_detection_patch.multi_task import result
from object_detection_patch.od_api import (
    base_model,
    host_layers,
    pipeline_config,
)
from object_detection_patch.patch_file import FingerprintError, read_patch


@pytest.fixture(scope="module")
def folder(trained):
    return pathlib.Path(trained.model_dir) / "trained"


def _merged(folder, trainer, output):
    base = folder / "base"
    return merge.merge(
        base_config=str(base / "pipeline.config"),
        base_checkpoint=str(base),
        patch=read_patch(folder / f"{trainer.name}.patch"),
        output_dir=str(output),
    )


@pytest.mark.parametrize("number", [0, 1])
def test_base_and_patch_give_the_trained_model(
    trained, folder, small_world, tmp_path, number
):
    trainer = trained.joint.trainers[number]
    merged = small_world.raw_outputs(_merged(folder, trainer, tmp_path / "m"))
    own = small_world.raw_outputs(trainer.model)
    for key, value in own.items():
        assert np.ptp(value) > 1e-2
        np.testing.assert_allclose(merged[key], value, rtol=1e-4, atol=1e-5)


def test_the_base_is_ordinary_and_the_first_tasks_detector(
    trained, folder, small_world
):
    config = str(folder / "base" / "pipeline.config")
    pipeline = pipeline_config.read_pipeline(config)
    assert pipeline_config.patch_of(pipeline) is None
    checkpoint = str(folder / "base" / "ckpt-0")
    assert pipeline.train_config.fine_tune_checkpoint == checkpoint
    model = small_world.unpatched_model(config)
    hosts = host_layers.find_ssd_hosts(model)
    base_model.restore_base(model, hosts, checkpoint, checkpoint_type="full")
    first = trained.joint.trainers[0].model
    for key, value in small_world.raw_outputs(first).items():
        np.testing.assert_array_equal(
            small_world.raw_outputs(model)[key], value
        )
    found = hosts.fingerprint()
    assert found == trained.report["base_fingerprint"]
    assert found != trained.joint.base_fingerprint
    for trainer in trained.joint.trainers:
        patch = read_patch(folder / f"{trainer.name}.patch")
        assert patch.base_fingerprint == found
        assert patch.metadata["training"]["planned_steps"] == 3


def test_the_patches_do_not_fit_the_old_base(
    trained, folder, small_world, tmp_path
):
    name = trained.joint.trainers[1].name
    with pytest.raises(FingerprintError, match="fits the base model that it"):
        merge.merge(
            base_config=small_world.base_config,
            base_checkpoint=small_world.base_checkpoint,
            patch=read_patch(folder / f"{name}.patch"),
            output_dir=str(tmp_path / "merged"),
        )


def test_the_report_is_kept_for_programs_and_people(trained, folder, capsys):
    report = json.loads((folder / "tasks.json").read_text(encoding="utf-8"))
    assert report == trained.report == result.read_report(trained.model_dir)
    assert result.all_trained(report)
    for line, task in zip(
        result.as_text(report).splitlines()[1:],
        report["tasks"].values(),
        strict=True,
    ):
        assert line.startswith(task["patch"])
        assert cli.main(["inspect", task["patch"]]) == 0
        assert "BN_PATCH" in capsys.readouterr().out


def test_a_further_task_can_be_trained_on_the_new_base(
    trained, folder, small_world
):
    config = small_world.config(
        "stripes",
        "SPOTPATCH",
        name="_later",
        fine_tune_checkpoint=str(folder / "base" / "ckpt-0"),
    )
    pipeline = pipeline_config.read_pipeline(config)
    model = small_world.unpatched_model(config)
    hosts = host_layers.find_ssd_hosts(model)
    base_model.restore_base(
        model,
        hosts,
        pipeline.train_config.fine_tune_checkpoint,
        checkpoint_type=pipeline.train_config.fine_tune_checkpoint_type,
    )
    tensors = hosts.base_tensors().items()
    assert trained.report["base_fingerprint"] == fingerprint(
        {name: variable.numpy() for name, variable in tensors}
    )


def test_a_result_is_not_overwritten(trained):
    with pytest.raises(ValueError, match="must be new or empty"):
        result.write(trained.joint, str(trained.model_dir))


def test_no_result_means_no_report(tmp_path):
    assert result.read_report(str(tmp_path)) is None
    assert tf.io.gfile.listdir(str(tmp_path)) == []
