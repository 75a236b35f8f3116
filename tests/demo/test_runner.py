"""What a job runs, and how its steps are counted."""

import pathlib
from typing import Any

import pytest

from object_detection_patch.demo import runner
from object_detection_patch.demo.plan import BASE, Plan, Scale


@pytest.fixture
def plan(tmp_path: pathlib.Path) -> Plan:
    return Plan(str(tmp_path), seed=5, scale=Scale())


def test_training_is_the_command_of_a_user(plan: Plan) -> None:
    job = plan.task_jobs()[0]
    command = runner.train_command(plan, job)
    assert command[1:3] == ["-m", "object_detection_patch.model_main_tf2"]
    assert f"--pipeline_config_path={job.config}" in command
    assert "--seed=5" in command
    # The loop saves at multiples alone: the last step has to be one.
    assert f"--checkpoint_every_n={job.steps}" in command


def test_the_base_is_not_extracted(plan: Plan) -> None:
    base, task = plan.base_job(), plan.task_jobs()[0]
    assert base.method == BASE
    assert not any("--patch" in c for c in runner.finish_command(plan, base))
    assert any("--patch" in c for c in runner.finish_command(plan, task))


def test_patches_are_merged_into_the_published_base(plan: Plan) -> None:
    command = runner.finish_command(plan, plan.task_jobs()[0])
    checkpoint = f"{plan.output_dir}/published/checkpoint"
    assert f"--base_config={checkpoint}/pipeline.config" in command
    assert f"--base_checkpoint={checkpoint}/ckpt-0" in command


def test_each_step_is_counted_once(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    def execute(
        command: list[str], *, on_line: Any = None, **options: Any
    ) -> None:
        if on_line:
            for line in ("Step 100 per-step time 0.1s\n", "loss\n"):
                on_line(line)
            on_line("Step 250 per-step time 0.1s\n")

    monkeypatch.setattr(runner, "execute", execute)
    counted: list[int] = []
    seconds = runner.run_job(
        plan, plan.base_job(), threads=1, progress=counted.append
    )
    assert counted == [100, 150]
    assert set(seconds) == {"train", "finish"}
