"""Resuming, and what a training says."""

import json

import numpy as np
import pytest

from object_detection_patch.multi_task import joint, loop, settings, tasks


def _state(joint):
    found = {"step": joint.step.numpy()}
    for trainer in joint.trainers:
        for number, variable in enumerate(trainer.model.variables):
            found[f"{trainer.name} {number}"] = variable.numpy()
        for number, variable in enumerate(trainer.schedule.optimizer.weights):
            found[f"{trainer.name} slot {number}"] = variable.numpy()
    for number, variable in enumerate(joint._optimizer.weights):
        found[f"shared slot {number}"] = variable.numpy()
    return found


@pytest.fixture(scope="module")
def interrupted(two_configs, train_jointly, tmp_path_factory):
    """(model directory, state) of a training that was killed after step 2."""
    kept = {}
    model_dir = tmp_path_factory.mktemp("interrupted") / "run"
    with pytest.MonkeyPatch.context() as patch:
        take_step = loop.Joint.take_step

        def killed(self):
            if int(self.step.numpy()) == 2:
                kept.update(_state(self))
                raise KeyboardInterrupt
            return take_step(self)

        patch.setattr(loop.Joint, "take_step", killed)
        with pytest.raises(KeyboardInterrupt):
            train_jointly(two_configs, model_dir)
    return model_dir, kept


@pytest.mark.slow
def test_a_training_goes_on_where_it_stopped(
    interrupted, two_configs, train_jointly, monkeypatch, capsys
):
    model_dir, kept = interrupted
    take_step = loop.Joint.take_step
    found = {}

    def seen(self):
        found.update(_state(self))
        return take_step(self)

    monkeypatch.setattr(loop.Joint, "take_step", seen)
    joint = train_jointly(two_configs, model_dir)
    assert int(joint.step.numpy()) == 3
    assert kept["step"] == 2
    assert set(found) == set(kept)
    for name, value in kept.items():
        np.testing.assert_array_equal(found[name], value, name)
    said = capsys.readouterr().err
    assert f"goes on at step 2, from {model_dir}/checkpoints/ckpt-2" in said
    assert "step 3 of 3: loss shapes_BN_PATCH_joint " in said
    assert "step 2 of 3" not in said


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 5}, "steps 3 then, 5 now"),
        ({"private": "both"}, "another config of shapes_BN_PATCH_joint or"),
    ],
)
def test_another_training_is_refused(
    trained, two_configs, train_jointly, options, message
):
    with pytest.raises(ValueError, match=f"began with. Received: {message}"):
        train_jointly(two_configs, trained.model_dir, **options)


def test_other_tasks_are_refused(trained, two_configs, train_jointly):
    with pytest.raises(ValueError, match="tasks shapes.* then, stripes.* now"):
        train_jointly(two_configs[::-1], trained.model_dir)


def test_a_directory_of_something_else_is_refused(
    two_configs, train_jointly, tmp_path
):
    (tmp_path / "thesis.tex").write_text("", encoding="utf-8")
    with pytest.raises(ValueError, match="of this training.* no training.json"):
        train_jointly(two_configs, tmp_path)


@pytest.mark.parametrize("text", ["{}", "[]", '{"steps": 3', ""])
def test_settings_that_are_not_whole_are_named(
    two_configs, train_jointly, tmp_path, text
):
    (tmp_path / "training.json").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="as a joint training wrote it.*json"):
        train_jointly(two_configs, tmp_path)


def test_the_base_of_configs_is_that_of_the_training(trained, two_configs):
    read = tasks.read_tasks(two_configs, None)
    found = joint.base_fingerprint(read)
    assert found == trained.joint.base_fingerprint
    settings.refuse_other_base(str(trained.model_dir), found)
    with pytest.raises(ValueError, match="base .* then, abababababab now"):
        settings.refuse_other_base(str(trained.model_dir), "ab" * 32)


def test_it_says_what_it_trains(trained, two_configs):
    settings = json.loads(
        (trained.model_dir / "training.json").read_text(encoding="utf-8")
    )
    assert settings["steps"] == 3
    assert [name for name, _ in settings["tasks"]] == [
        "shapes_BN_PATCH_joint",
        "stripes_BN_PATCH_joint",
    ]
    assert settings["base_fingerprint"] == trained.joint.base_fingerprint
