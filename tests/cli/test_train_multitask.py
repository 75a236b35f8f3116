"""od-patch train-multitask: what reaches the training, and exit codes."""

import pytest

from object_detection_patch import cli


def _report(stopped_at):
    tasks = {
        name: {"config": "", "patch": f"{name}.patch", "stopped_at": step}
        for name, step in (("shapes", None), ("stripes", stopped_at))
    }
    return {
        "base": "trained/base",
        "base_detects": "shapes",
        "base_fingerprint": "0123456789abcdef",
        "steps": 8,
        "tasks": tasks,
    }


@pytest.fixture
def configs(small_world):
    return [
        small_world.config(world, "BN_PATCH", name="_cli", num_steps=steps)
        for world, steps in (("shapes", 4), ("stripes", 8))
    ]


@pytest.mark.parametrize(
    ("stopped_at", "code", "last"),
    [
        (None, 0, "stripes.patch: patch of stripes for that base"),
        (3, 1, "stripes stopped at step 3, where its loss or a gradient was "),
    ],
)
def test_a_stopped_task_makes_the_exit_code_1(
    configs, calls, capsys, tmp_path, stopped_at, code, last
):
    from object_detection_patch.multi_task import loop, result

    calls.intercept(loop, train="joint")
    calls.intercept(result, write=_report(stopped_at))
    model_dir = str(tmp_path / "run")
    given = ["--tasks", *configs, "--model_dir", model_dir]
    assert cli.main(["train-multitask", *given]) == code
    assert capsys.readouterr().out.splitlines()[-1].startswith(last)
    (train, (tasks, where), options), (write, joint, _) = calls.made
    assert (train, write) == ("train", "write")
    assert [task.path for task in tasks] == configs
    assert where == model_dir and joint == ("joint", model_dir)
    assert options == {
        "private": None,
        "share_heads": False,
        "steps": 8,
        "checkpoint_every_n": 1000,
        "log_every_n": 100,
        "max_rate_ratio": 2.0,
    }


@pytest.mark.parametrize(
    ("heads", "shared"),
    [([], True), (["--heads", "private"], False)],
)
def test_one_config_at_several_resolutions(
    configs, calls, tmp_path, heads, shared
):
    from object_detection_patch.multi_task import loop, result

    calls.intercept(loop, train="joint")
    calls.intercept(result, write=_report(None))
    given = ["--tasks", configs[1], "--model_dir", str(tmp_path / "run")]
    given += ["--resolutions", "96", "64x96", *heads]
    assert cli.main(["train-multitask", *given]) == 0
    _, (tasks, _), options = calls.made[0]
    assert [task.name for task in tasks] == [
        "stripes_BN_PATCH_cli_96",
        "stripes_BN_PATCH_cli_64x96",
    ]
    assert options["share_heads"] is shared


def test_a_resolution_off_the_stride_is_refused_first(
    configs, calls, capsys, tmp_path
):
    from object_detection_patch.multi_task import loop

    calls.intercept(loop, train="joint")
    given = ["--tasks", configs[1], "--model_dir", str(tmp_path / "run")]
    given += ["--resolutions", "96", "100"]
    assert cli.main(["train-multitask", *given]) == 2
    said = capsys.readouterr().err
    assert "Received: 100 pixels (--resolutions)." in said
    assert calls.made == []
    assert list(tmp_path.iterdir()) == []


def test_a_training_that_has_ended_is_not_begun_again(
    configs, calls, capsys, tmp_path
):
    from object_detection_patch.multi_task import joint, loop, result

    calls.intercept(loop, train="joint")
    calls.intercept(joint, base_fingerprint="ab" * 32)
    calls.intercept(result, read_report=_report(3))
    given = ["--tasks", *configs, "--model_dir", str(tmp_path)]
    assert cli.main(["train-multitask", *given]) == 1
    assert capsys.readouterr().out.startswith("This training has ended already")
    assert [name for name, _, _ in calls.made] == [
        "read_report",
        "base_fingerprint",
    ]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--steps", "0"),
        ("--max_rate_ratio", "0.5"),
        ("--private", "heads"),
        ("--resolutions", "96x"),
        ("--resolutions", "0"),
    ],
)
def test_options_out_of_range(capsys, option, value):
    with pytest.raises(SystemExit) as caught:
        cli.main(
            ["train-multitask", "--tasks", "a", "b", "--model_dir", "c"]
            + [option, value]
        )
    assert caught.value.code == 2
    assert value in capsys.readouterr().err
