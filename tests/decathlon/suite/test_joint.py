"""Joint trainings of a suite: which runs they give, and what is refused."""

from __future__ import annotations

import typing

import msgspec
import pytest

from object_detection_patch.decathlon.suite import checks, mini, paper, runs
from object_detection_patch.decathlon.suite.suite import (
    Joint,
    Private,
    Schedule,
)
from object_detection_patch.multi_task.tasks import PRIVATE
from tests.decathlon.suite.suites_to_test import suite, task

_GIVEN = Joint(
    tasks=("birds", "cars"),
    private={"none": 1e-2, "both": 2e-2},
    rates={"both": (1e-3, 2e-2)},
    tuned_on=("birds", "coco"),
)


def _suite(**changes):
    usual = suite(tasks=(*suite().tasks, task("cars")))
    tuning = msgspec.structs.replace(usual.tuning, tasks=("birds", "coco"))
    return msgspec.structs.replace(
        usual, tuning=tuning, joint=msgspec.structs.replace(_GIVEN, **changes)
    )


def _joint(given, **asked):
    return runs.select(given, experiments=["joint"], **asked)


def test_a_training_gives_a_run_for_each_task():
    found = _joint(_suite())

    assert [run.id for run in found] == [
        "joint__private_none__birds__seed1",
        "joint__private_none__cars__seed1",
        "joint__private_both__birds__seed1",
        "joint__private_both__cars__seed1",
    ]
    assert [run.training.rate for run in found] == [1e-2, 1e-2, 2e-2, 2e-2]
    for run in found:
        assert run.base == "source"
        group = [one for one in found if one.method == run.method]
        assert list(run.of_training) == group
        assert runs.find_run(_suite(), run.id) == run
    assert {run.training_id for run in found} == {
        "joint__private_none__seed1",
        "joint__private_both__seed1",
    }


def test_a_run_alone_is_its_own_training():
    run, *_ = runs.select(_suite())

    assert run.of_training == (run,)
    assert run.training_id == run.id


def test_all_take_as_many_steps_as_the_longest():
    given = _suite()
    longer = msgspec.structs.replace(
        given.tasks[-1], schedule=Schedule(steps=9, batch_size=3)
    )
    given = msgspec.structs.replace(given, tasks=(*given.tasks[:-1], longer))
    schedules = {run.task.key: run.task.schedule for run in _joint(given)}

    assert schedules == {
        "birds": Schedule(steps=9, batch_size=2),
        "cars": Schedule(steps=9, batch_size=3),
    }


def test_rates_are_tried_on_the_splits_together():
    found = runs.select(
        _suite(), experiments=["tuning"], methods=["PRIVATE_BOTH"]
    )

    assert [run.id for run in found] == [
        f"tuning__private_both__{task}_held_out__{rate}__seed1"
        for rate in ("0.001", "0.02")
        for task in ("birds", "coco")
    ]
    assert [one.task.key for one in found[0].of_training] == [
        "birds_held_out",
        "coco_held_out",
    ]


@pytest.mark.parametrize(
    ("experiments", "tasks"),
    [
        (["joint"], ["birds"]),
        (["main", "joint"], ["birds", "coco"]),
        (["tuning", "joint"], ["birds_held_out", "cars"]),
    ],
)
def test_some_of_the_tasks_cannot_be_trained_jointly(experiments, tasks):
    with pytest.raises(ValueError, match="must be asked for together") as e:
        runs.select(_suite(), experiments=experiments, tasks=tasks)
    assert str(e.value).endswith("of birds, cars.")


def test_trials_of_some_tasks_leave_joint_ones_out():
    found = runs.select(
        _suite(), experiments=["tuning"], tasks=["birds_held_out"]
    )
    assert {run.method for run in found} == {"SPOTPATCH"}
    with pytest.raises(ValueError, match="must be asked for together"):
        runs.select(
            _suite(),
            experiments=["tuning"],
            tasks=["birds_held_out"],
            methods=["PRIVATE_BOTH"],
        )


def test_whatever_decides_a_joint_training_is_in_its_digest():
    def digests(given):
        return {
            run.id: runs.config_sha256(given, run)
            for run in runs.all_runs(given, 1)
        }

    usual = digests(_suite())
    faster = digests(_suite(private={"none": 1e-2, "both": 3e-2}))
    given = _suite()
    more = msgspec.structs.replace(given.tasks[-1], train_images=9)
    other = digests(
        msgspec.structs.replace(given, tasks=(*given.tasks[:-1], more))
    )

    def changed(found):
        return {run_id for run_id in usual if found[run_id] != usual[run_id]}

    assert changed(faster) == {
        f"joint__private_both__{task}__seed1" for task in ("birds", "cars")
    }
    # The images of cars train the base of birds too.
    assert {run_id for run_id in changed(other) if "birds" in run_id} == {
        f"joint__private_{private}__birds__seed1"
        for private in ("none", "both")
    }


def test_a_joint_experiment_leaves_the_other_runs_as_they_were():
    without = msgspec.structs.replace(_suite(), joint=msgspec.UNSET)
    with_it = {run.id: run for run in runs.all_runs(_suite(), 1)}

    for run in runs.all_runs(without, 1):
        assert with_it[run.id] == run
        assert runs.config_sha256(_suite(), run) == runs.config_sha256(
            without, run
        )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tasks": ("birds", "cats")}, "`joint.tasks` must be one of birds"),
        ({"tasks": ("birds",)}, "`joint.tasks` must be two tasks or more"),
        ({"tasks": ("birds", "birds")}, "`joint.tasks` must be used once"),
        ({"rates": {"depthwise": (1.0,)}}, "`joint.rates` must be of one of"),
        ({"tuned_on": ("birds", "cars")}, "must be of `tuning`, one of birds"),
        ({"tuned_on": ()}, "`joint.rates` need `joint.tuned_on` of two"),
        ({"rates": {"both": (0.02, 0.020000001)}}, "key of a run must be used"),
    ],
)
def test_what_cannot_run_is_refused(changes, message):
    checks.check(_suite(), "mine.json")
    with pytest.raises(ValueError, match=message) as error:
        checks.check(_suite(**changes), "mine.json")
    assert "(mine.json)" in str(error.value)


def test_without_trials_nothing_is_to_be_tuned_on():
    checks.check(_suite(rates={}, tuned_on=()), "mine.json")


def test_what_may_be_private_is_what_train_multitask_takes():
    assert set(typing.get_args(Private)) == set(PRIVATE)


@pytest.mark.parametrize("known", [mini.suite, paper.suite])
def test_our_suites_train_everything_jointly_at_one_rate(known):
    found = known()

    assert found.joint.tasks == ("voc", "birds", "kitti")
    assert set(found.joint.private) == set(PRIVATE)
    assert len(set(found.joint.private.values())) == 1
    for private, rates in found.joint.rates.items():
        assert found.joint.private[private] in rates
    steps = {run.task.schedule.steps for run in _joint(found)}
    assert steps == {
        max(
            task.schedule.steps
            for task in found.tasks
            if task.key in found.joint.tasks
        )
    }
