"""Tasks that train together: trained once, measured and recorded each."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import msgspec
import pytest

from object_detection_patch.decathlon.running import (
    keeping,
    measuring,
    one,
    record,
    training,
)
from object_detection_patch.decathlon.running.folder import open_folder
from object_detection_patch.decathlon.running.lock import locked
from object_detection_patch.decathlon.suite import mini, runs
from object_detection_patch.decathlon.suite.suite import (
    Drawn,
    Joint,
    Method,
)
from object_detection_patch.multi_task import loop, result
from object_detection_patch.patch_file import read_patch
from tests.decathlon.running.records_to_test import (
    outcome,
    prepared_folder,
    run_record,
)
from tests.decathlon.suite import suites_to_test

_SUITE = suites_to_test.suite(
    joint=Joint(tasks=("birds", "coco"), private={"batch_norm": 1e-2})
)
_BIRDS, _COCO = runs.select(_SUITE, experiments=["joint"])
_UNMEASURED = msgspec.structs.replace(outcome(), int8=None)


@pytest.fixture
def folder(tmp_path):
    return prepared_folder(tmp_path / "out", _SUITE, (_BIRDS, _COCO))


@pytest.fixture
def trained(monkeypatch):
    """Trainings that take no time; what they were asked for, what they say."""
    asked = []
    report = {
        "started_from": "ab" * 32,
        "tasks": {key: {"stopped_at": None} for key in ("birds", "coco")},
    }

    def train(configs, model_dir, *, private, seed):
        os.makedirs(model_dir, exist_ok=True)
        with open(f"{model_dir}/checkpoint", "a", encoding="utf-8") as file:
            file.write("x")
        asked.append((configs, model_dir, private, seed))
        return report

    monkeypatch.setattr(training, "write_run_config", lambda *_: None)
    monkeypatch.setattr(training, "train_jointly", train)
    monkeypatch.setattr(
        measuring, "joint_outcome", lambda *_, began_with: _UNMEASURED
    )
    return asked, report


def _held(folder, run):
    return record.read_run(folder.run_record(run.id))


def _keep(folder, run, **changes):
    path = folder.run_record(run.id)
    record.write_json(path, run_record(_SUITE, run, **changes))


def _main(folder, *arguments):
    return one.main([f"--out_dir={folder.root}", *arguments])


@pytest.mark.parametrize("run", [_BIRDS, _COCO])
def test_one_training_gives_a_record_for_each_task(folder, trained, run):
    assert _main(folder, "--run", run.id) == 0

    work = folder.root / "work" / "runs" / "joint__private_batch_norm__seed1"
    configs = [str(work / f"{key}.config") for key in ("birds", "coco")]
    assert trained[0] == [(configs, str(work / "train"), "batch_norm", 1)]
    for each in (_BIRDS, _COCO):
        held = _held(folder, each)
        assert (held.outcome, held.error) == (_UNMEASURED, None)
        assert (held.task, held.method) == (each.task.key, "PRIVATE_BATCH_NORM")
        assert {"start", "train"} <= set(held.seconds)


def test_what_has_results_is_not_done_again(folder, trained):
    for run in (_BIRDS, _COCO):
        _keep(folder, run)

    assert _main(folder, "--run", _BIRDS.id) == 0
    assert trained[0] == []
    assert _held(folder, _BIRDS) == run_record(_SUITE, _BIRDS)


def test_only_what_lacks_a_result_is_recorded(folder, trained):
    _keep(folder, _BIRDS)
    _keep(folder, _COCO, outcome=None, error="older")

    assert _main(folder, "--run", _BIRDS.id) == 0
    assert _held(folder, _BIRDS) == run_record(_SUITE, _BIRDS)
    assert _held(folder, _COCO).error is None


def test_a_task_that_stopped_fails_alone(folder, trained):
    trained[1]["tasks"]["coco"]["stopped_at"] = 3

    assert _main(folder, "--run", _BIRDS.id) == keeping.FAILED
    assert _held(folder, _BIRDS).outcome == _UNMEASURED
    held = _held(folder, _COCO)
    assert held.outcome is None
    assert "coco stopped at step 3" in held.error


def test_a_task_that_cannot_be_measured_fails_alone(
    folder, trained, monkeypatch
):
    def measure(folder, run, *_, began_with):
        if run == _BIRDS:
            raise OSError("no such patch")
        return _UNMEASURED

    monkeypatch.setattr(measuring, "joint_outcome", measure)
    assert _main(folder, "--run", _BIRDS.id) == keeping.FAILED
    assert _held(folder, _BIRDS).error == "OSError: no such patch"
    assert _held(folder, _COCO).outcome == _UNMEASURED


def test_a_training_that_fails_fails_for_all(folder, trained, monkeypatch):
    def train(*_, **__):
        raise ValueError("no rate")

    monkeypatch.setattr(training, "train_jointly", train)
    assert _main(folder, "--run", _COCO.id) == keeping.FAILED
    for run in (_BIRDS, _COCO):
        assert _held(folder, run).error == "ValueError: no rate"


def test_another_base_than_the_one_recorded_is_refused(folder, trained):
    trained[1]["started_from"] = "cd" * 32

    assert _main(folder, "--run", _COCO.id) == keeping.FAILED
    assert "different bases must not be mixed" in _held(folder, _COCO).error


def test_a_result_of_other_settings_is_not_replaced(folder, trained, capsys):
    _keep(folder, _COCO, config_sha256="0" * 64)

    assert _main(folder, "--run", _BIRDS.id) == keeping.REFUSED
    assert "must not be mixed" in capsys.readouterr().err
    assert trained[0] == []


def _train_and_lose_the_records(folder, suite):
    run, other = runs.select(suite, experiments=["joint"])
    assert one.make_run(folder, suite, run) == 0
    for each in (run, other):
        folder.run_record(each.id).unlink()
    checkpoint = folder.training_work(run) / "train" / "checkpoint"
    return checkpoint.read_text(encoding="utf-8")


def test_only_a_training_of_these_settings_is_gone_on_with(folder, trained):
    assert _train_and_lose_the_records(folder, _SUITE) == "x"
    assert _train_and_lose_the_records(folder, _SUITE) == "xx"

    joint = msgspec.structs.replace(_SUITE.joint, private={"batch_norm": 0.5})
    changed = msgspec.structs.replace(_SUITE, joint=joint)
    assert _train_and_lose_the_records(folder, changed) == "x"


def test_data_of_all_tasks_are_asked_for_first(folder, trained, capsys):
    (folder.data / _COCO.task.eval_records).unlink()

    assert _main(folder, "--run", _BIRDS.id) == keeping.REFUSED
    assert "Task coco" in capsys.readouterr().err
    assert trained[0] == []
    assert not folder.run_record(_BIRDS.id).exists()


def test_a_tpu_is_refused(folder, trained, capsys):
    assert _main(folder, "--tpu=t", "--run", _BIRDS.id) == keeping.REFUSED
    assert "not on a TPU. Received: `--tpu t`" in capsys.readouterr().err


def test_two_tasks_of_a_training_are_not_done_at_once(folder, trained, capsys):
    with locked(folder, f"run_{_BIRDS.training_id}"):
        assert _main(folder, "--run", _COCO.id) == keeping.REFUSED
    assert "another one is doing" in capsys.readouterr().err


def test_configs_reach_the_loop_of_train_multitask(
    small_world, tmp_path, monkeypatch
):
    configs = [
        small_world.config(world, "FEATURE_EXTRACTOR", name="_suite")
        for world in ("shapes", "stripes")
    ]
    asked = []

    def train(tasks, model_dir, **options):
        asked.append(([task.path for task in tasks], model_dir, options))
        return "joint"

    monkeypatch.setattr(loop, "train", train)
    monkeypatch.setattr(result, "write", lambda *given: given)
    found = training.train_jointly(
        configs, str(tmp_path), private="none", seed=2
    )
    assert found == ("joint", str(tmp_path))
    ((paths, model_dir, options),) = asked
    assert (paths, model_dir) == (configs, str(tmp_path))
    assert (options["private"], options["steps"]) == ("none", 4)

    monkeypatch.setattr(result, "read_report", lambda _: "ended")
    again = training.train_jointly(
        configs, str(tmp_path), private="none", seed=2
    )
    assert again == "ended"
    assert len(asked) == 1


def _small(key):
    """One of the mini suite's tasks, for a few steps."""
    task = next(t for t in mini.suite().tasks if t.key == key)
    return msgspec.structs.replace(
        task,
        train_images=6,
        eval_images=4,
        schedule=suites_to_test.SCHEDULE,
    )


@pytest.mark.slow
def test_a_real_joint_training_leaves_patches_of_one_new_base(tmp_path):
    suite = suites_to_test.suite(
        source=_small("coco"),
        tasks=(_small("voc"), _small("kitti")),
        base=suites_to_test.base("coco", "coco"),
        methods={"FINE_TUNING": Method(rate=1e-3)},
        drawn=Drawn(side=48, seed=3),
        updating=None,
        sparsity=None,
        tuning=None,
        quick=((), ()),
        joint=Joint(tasks=("voc", "kitti"), private={"batch_norm": 1e-3}),
    )
    path, folder = tmp_path / "mine.json", open_folder(tmp_path / "out")
    record.write_json(path, suite)
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "object_detection_patch.cli"),
            *("decathlon", "run", "--suite", str(path)),
            *("--out_dir", str(folder.root), "--experiments", "joint"),
        ],
        capture_output=True,
        text=True,
        env=os.environ | {"TF_USE_LEGACY_KERAS": "1"},
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    _check_left(folder, suite)


def _check_left(folder, suite):
    """Records agree with patches of one new base, whose first is voc's."""
    base = record.read_base(folder.base_record("coco")).fingerprint
    found = runs.select(suite, experiments=["joint"])
    work = folder.training_work(found[0]) / "train" / "trained"
    report = json.loads(pathlib.Path(work / "tasks.json").read_text("utf-8"))
    assert report["started_from"] == base != report["base_fingerprint"]
    assert report["base_detects"] == "voc"
    for run in found:
        held, patch = _held(folder, run), read_patch(folder.run_patch(run))
        assert held.error is None
        assert held.outcome.base_fingerprint == base
        assert patch.base_fingerprint == report["base_fingerprint"]
        size = folder.run_patch(run).stat().st_size
        assert held.outcome.file_bytes["exact"].whole == size
        assert held.outcome.footprint.bits_32 == patch.metadata["nominal_bits"]
        # Two numbers a channel of every BatchNorm, and heads: no kernel.
        assert (
            0
            < held.outcome.footprint.bits_32
            < (32 * held.outcome.footprint.base_parameters / 4)
        )
        assert (folder.run_work(run) / "drawn.npz").exists()
