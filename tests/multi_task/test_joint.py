"""A joint training: what is shared, what is not, and what stops."""

import numpy as np
import pytest
import tensorflow as tf

from object_detection_patch.multi_task import joint as joint_lib
from object_detection_patch.multi_task import tasks
from object_detection_patch.od_api import step_guard


def _hosts(trainer):
    return trainer.model.patch.hosts


def _values(tensors):
    return {name: variable.numpy() for name, variable in tensors.items()}


def _before(small_world):
    from object_detection_patch.od_api import base_model, host_layers

    model = small_world.unpatched_model()
    hosts = host_layers.find_ssd_hosts(model)
    base_model.restore_base(
        model, hosts, small_world.base_checkpoint, checkpoint_type="detection"
    )
    return _values(hosts.base_tensors())


def test_tasks_share_all_but_batch_norms_and_heads(trained):
    one, other = (_hosts(t).base_tensors() for t in trained.joint.trainers)
    assert set(one) == set(other)
    for name, variable in one.items():
        is_norm = name.rsplit("/", 1)[-1] in (
            *("gamma", "beta", "moving_mean", "moving_variance"),
        )
        assert (variable is other[name]) != is_norm, name
    heads = [
        set(map(id, _hosts(t).head_tensors().values()))
        for t in (trained.joint.trainers)
    ]
    assert heads[0].isdisjoint(heads[1])


def test_everything_has_moved_and_private_tensors_apart(trained, small_world):
    before = _before(small_world)
    one, other = (
        _values(_hosts(t).base_tensors()) for t in (trained.joint.trainers)
    )
    private = set(trained.joint.trainers[0].model.patch.private_tensors())
    for name, value in before.items():
        assert not np.array_equal(one[name], value), name
        assert np.array_equal(one[name], other[name]) != (name in private), name


def test_a_model_counts_what_it_shares_once(trained):
    shared = {id(v) for v in trained.joint.shared}
    for trainer in trained.joint.trainers:
        variables = [id(v) for v in trainer.model.trainable_variables]
        assert len(set(variables)) == len(variables)
        assert shared < set(variables)
        # A regulariser that knew another variable would not pull this one.
        with tf.GradientTape() as tape:
            pulled = tf.add_n(trainer.model.regularization_losses())
        gradients = tape.gradient(pulled, trained.joint.shared)
        assert sum(g is not None for g in gradients) > 40


def test_what_is_shared_moves_by_the_gradients_of_all_tasks(
    two_configs, eager_functions
):
    """By plain descent: one step is the mean of the two that each takes."""
    joint = _joint(two_configs, "momentum_optimizer")
    shared = joint.shared
    start = [v.numpy() for v in shared]
    losses, gradients = zip(
        *(t.take_step() for t in joint.trainers), strict=True
    )
    assert np.isfinite(losses).all()
    rates = [t.schedule.move_to(2) for t in joint.trainers]
    assert rates[0] != rates[1]
    joint._rate.assign(sum(rates) / 2)
    joint._move(list(gradients), tf.constant(joint_lib.rates.shares(rates)))
    moved = 0.0
    for variable, before, one, other in zip(
        shared, start, *gradients, strict=True
    ):
        expected = before - (rates[0] * one + rates[1] * other) / 2
        np.testing.assert_allclose(variable, expected, rtol=1e-5, atol=1e-7)
        moved = max(moved, np.abs(expected - before).max())
    assert moved > 1e-4


def _joint(configs, kind=None, **options):
    read = tasks.read_tasks(configs, None)
    for number, task in enumerate(read):
        if kind is not None:
            optimizer = task.train_config.optimizer
            optimizer.Clear()
            optimizer.use_moving_average = False
            message = getattr(optimizer, kind)
            message.momentum_optimizer_value = 0.0
            message.learning_rate.constant_learning_rate.learning_rate = (
                0.01 * (1 + number / 2)
            )
    given = {"private": None, "steps": 4, "max_rate_ratio": 2.0} | options
    return joint_lib.Joint(read, **given)


@pytest.mark.slow
def test_a_task_that_is_nan_stops_alone(
    two_configs, train_jointly, tmp_path, capsys, monkeypatch
):
    from object_detection_patch.multi_task import result

    whole_step = joint_lib.Joint.take_step

    def spoil_at_second(self):
        if int(self.step.numpy()) == 1:
            beta = self.trainers[0].model.patch.hosts.batch_norms[0].layer.beta
            beta.assign(beta * np.nan)
        return whole_step(self)

    monkeypatch.setattr(joint_lib.Joint, "take_step", spoil_at_second)
    joint = train_jointly(two_configs, tmp_path / "run")
    stopped, running = joint.trainers
    assert stopped.stopped_at == 1 and running.stopped_at is None
    assert joint.running == [running]
    for name, value in _values(_hosts(running).base_tensors()).items():
        assert np.isfinite(value).all(), name
    said = capsys.readouterr().err
    assert f"{stopped.name} stops: NaN or infinity in " in said
    assert "at step 1. The others go on." in said
    assert f"step 3 of 3: loss {running.name} " in said

    report = result.write(joint, str(tmp_path / "run"))
    assert not result.all_trained(report)
    assert f"{stopped.name} stopped at step 1" in result.as_text(report)
    files = {path.name for path in (tmp_path / "run" / "trained").iterdir()}
    assert files == {"base", "tasks.json", f"{running.name}.patch"}
    assert report["base_detects"] == running.name

    again = train_jointly(two_configs, tmp_path / "run")
    assert [t.stopped_at for t in again.trainers] == [1, None]


@pytest.mark.slow
def test_when_all_are_nan_nothing_is_left(two_configs, train_jointly, tmp_path):
    with pytest.raises(
        step_guard.NonFiniteError, match="NaN or infinity in every task"
    ):
        train_jointly(
            [_with_rate(path, 1e30, tmp_path) for path in two_configs],
            tmp_path / "run",
            steps=4,
        )


def _with_rate(config, rate, folder):
    import pathlib
    import re

    path = pathlib.Path(config)
    text = re.sub(
        r"learning_rate_base: \S+",
        f"learning_rate_base: {rate}",
        path.read_text(encoding="utf-8"),
    )
    text = re.sub(
        r"warmup_learning_rate: \S+", "warmup_learning_rate: 1e30", text
    )
    copy = folder / path.name
    copy.write_text(text, encoding="utf-8")
    return str(copy)


@pytest.mark.slow
def test_tasks_of_different_bases_are_refused(
    small_world, two_configs, tmp_path
):
    from tests.enliven import enliven

    model = small_world.unpatched_model()
    enliven(model, seed=4)
    other = tf.train.Checkpoint(
        model=model, step=tf.Variable(7, dtype=tf.int64)
    ).save(str(tmp_path / "ckpt"))
    config = small_world.config(
        "stripes", "BN_PATCH", name="_elsewhere", fine_tune_checkpoint=other
    )
    with pytest.raises(
        ValueError,
        match=r"must start from the same\. Received: base \w{12} in .*, but "
        r"base \w{12} in .*_elsewhere\.config",
    ):
        _joint([two_configs[0], config])


def test_sharing_everything_must_be_asked_for(small_world):
    configs = [
        small_world.config(world, "FEATURE_EXTRACTOR", num_steps=4)
        for world in ("shapes", "stripes")
    ]
    with pytest.raises(ValueError, match=r"must be asked for \(`--private no"):
        _joint(configs)
    joint = _joint(configs, private="none")
    assert len(joint.shared) > len(
        [v for v in joint.shared if "kernel" in v.name]
    )
    one, other = (_hosts(t).base_tensors() for t in joint.trainers)
    assert all(variable is other[name] for name, variable in one.items())


def test_a_batch_must_divide_among_devices(two_configs):
    class Three:
        num_replicas_in_sync = 3

    with pytest.raises(ValueError, match="multiple of .* Received: 2 for 3"):
        joint_lib._refuse_uneven(tasks.read_tasks(two_configs, None), Three())
