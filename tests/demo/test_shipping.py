"""The commands between the trained base and the phone, and their order."""

import argparse
import pathlib
import threading
from typing import Any

import pytest

from object_detection_patch.cli import apply, export_base, publish
from object_detection_patch.demo import phone, shipping
from object_detection_patch.demo.plan import Plan, Scale
from object_detection_patch.demo.processes import JobFailed


@pytest.fixture
def plan(tmp_path: pathlib.Path) -> Plan:
    return Plan(str(tmp_path), seed=5, scale=Scale())


def _parsed(verb: Any, command: list[str]) -> argparse.Namespace:
    """The options of an od-patch command, as od-patch understands it."""
    parser = argparse.ArgumentParser()
    verb.add(parser.add_subparsers())
    assert command[1:3] == ["-m", "object_detection_patch.cli"]
    return parser.parse_args(command[3:])


def test_the_base_is_published_in_float32(plan: Plan) -> None:
    options = _parsed(export_base, shipping.export_command(plan))
    assert options.pipeline_config_path == plan.base_job().config
    assert options.checkpoint_dir == plan.base_job().model_dir
    assert options.output_dir == f"{plan.output_dir}/published"
    assert options.precision == "float32"
    # That of the OD API's exporter.
    assert options.max_detections is None


def test_what_is_published_is_applied(plan: Plan) -> None:
    job = plan.phone_jobs()[0]
    published = _parsed(publish, shipping.publish_command(plan, job))
    assert published.patch == job.patch
    assert published.base == [plan.base_model]
    assert published.encoding is None
    applied = _parsed(apply, shipping.apply_command(plan, job))
    assert applied.patch == published.output == job.released
    assert applied.base == plan.base_model
    assert applied.output == job.phone_model


def test_the_phone_gets_the_base_and_every_task(plan: Plan) -> None:
    command = shipping.phone_command(plan)
    assert command[1:3] == ["-m", phone.__name__]
    options = phone._parser().parse_args(command[3:])
    assert options.base == plan.base_model
    base = plan.base_job()
    assert options.source == [base.directory, plan.records("shapes", "eval")]
    assert options.task == [
        [job.directory, plan.records(job.task, "eval")]
        for job in plan.phone_jobs()
    ]
    methods = [(job.task, job.method) for job in plan.phone_jobs()]
    assert ("stripes", "SPOTPATCH") in methods
    assert ("digits", "SPOTPATCH") in methods


def test_the_phone_comes_last(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[list[str]] = []
    lock = threading.Lock()

    def execute(command: list[str], **options: Any) -> None:
        with lock:
            ran.append(command)

    monkeypatch.setattr(shipping, "execute", execute)
    done: list[None] = []
    shipping.ship(plan, at_once=2, progress=lambda: done.append(None))
    jobs = plan.phone_jobs()
    assert len(ran) == 2 * len(jobs) + 1
    assert ran[-1] == shipping.phone_command(plan)
    for job in jobs:
        first = ran.index(shipping.publish_command(plan, job))
        assert first < ran.index(shipping.apply_command(plan, job))
    assert len(done) == len(jobs) + 1


def test_a_failed_task_ends_the_demo(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    def execute(command: list[str], *, title: str, **options: Any) -> None:
        raise JobFailed(f"{title} ended")

    monkeypatch.setattr(shipping, "execute", execute)
    with pytest.raises(JobFailed, match="on stripes ended"):
        shipping.ship(plan, at_once=1, progress=lambda: None)


def test_the_steps_of_publishing_are_shown(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    def execute(command: list[str], *, on_line: Any, **options: Any) -> None:
        for line in ("[1/6, 0 s] restoring\n", "2/6\n", "[2/6, 71 s] filling"):
            on_line(line)

    monkeypatch.setattr(shipping, "execute", execute)
    steps: list[tuple[int, int]] = []
    shipping.export_base(plan, progress=lambda *step: steps.append(step))
    assert steps == [(1, 6), (2, 6)]
