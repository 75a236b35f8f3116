"""The demo's configs are ordinary ones that a user could have written."""

import pathlib

import pytest

from object_detection_patch.demo.plan import Plan, Scale
from object_detection_patch.methods import presets
from object_detection_patch.od_api import pipeline_config


@pytest.fixture
def plan(tmp_path: pathlib.Path) -> Plan:
    return Plan(
        str(tmp_path), seed=5, scale=Scale(base_steps=70, task_steps=30)
    )


def test_the_base_has_no_patch_and_no_base(plan: Plan) -> None:
    plan.write_config(plan.base_job(), num_classes=8)
    pipeline = pipeline_config.read_pipeline(plan.base_job().config)
    assert pipeline_config.patch_of(pipeline) is None
    assert not pipeline.train_config.fine_tune_checkpoint
    assert pipeline.train_config.num_steps == 70


def test_each_job_patches_the_published_base(plan: Plan) -> None:
    for job in plan.task_jobs():
        plan.write_config(job, num_classes=5)
        pipeline = pipeline_config.read_pipeline(job.config)
        patch = pipeline_config.patch_of(pipeline)
        assert presets.method_name(patch) == job.method
        base = pipeline.train_config.fine_tune_checkpoint
        assert base == f"{plan.output_dir}/published/checkpoint/ckpt-0"
        assert pipeline.train_config.num_steps == 30
        half_of_the_steps = 15 if job.method == "COMPACT" else 0
        assert patch.grid.begin_step == half_of_the_steps


def test_digits_are_never_mirrored(plan: Plan) -> None:
    for job in plan.task_jobs():
        plan.write_config(job, num_classes=5)
        text = pathlib.Path(job.config).read_text()
        assert ("random_horizontal_flip" in text) == (job.task != "digits")
