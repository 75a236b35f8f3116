"""One piece of work: refused, done before, failed and recorded."""

from __future__ import annotations

import os
import signal
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
from object_detection_patch.decathlon.running.folder import (
    FolderError,
)
from object_detection_patch.decathlon.running.lock import locked
from object_detection_patch.decathlon.suite import runs
from object_detection_patch.decathlon.suite.suite import Drawn, Method
from tests.decathlon.running.records_to_test import (
    base_record,
    outcome,
    prepared_folder,
    run_record,
)
from tests.decathlon.suite.suites_to_test import suite

_SUITE = suite()
_RUN = runs.select(_SUITE)[1]
_UNMEASURED = msgspec.structs.replace(outcome(), int8=None)


@pytest.fixture
def folder(tmp_path):
    return prepared_folder(tmp_path / "out", _SUITE, [_RUN])


@pytest.fixture
def trained(monkeypatch):
    """Trainings that take no time; what they were asked for."""
    asked = []

    def train(config, model_dir, *, seed, tpu):
        os.makedirs(model_dir, exist_ok=True)
        with open(f"{model_dir}/checkpoint", "a", encoding="utf-8") as file:
            file.write("x")
        asked.append((config, model_dir, seed, tpu))

    monkeypatch.setattr(training, "write_run_config", lambda *_: None)
    monkeypatch.setattr(training, "train", train)
    monkeypatch.setattr(measuring, "outcome", lambda *_: _UNMEASURED)
    return asked


def _held(folder):
    return record.read_run(folder.run_record(_RUN.id))


def _keep(folder, **changes):
    path = folder.run_record(_RUN.id)
    record.write_json(path, run_record(_SUITE, _RUN, **changes))


def _main(folder, *arguments):
    return one.main([f"--out_dir={folder.root}", *arguments])


def test_a_run_is_trained_in_its_directory_and_recorded(folder, trained):
    assert one.make_run(folder, _SUITE, _RUN, tpu="local") == 0

    work = folder.run_work(_RUN)
    assert trained == [
        (str(work / "pipeline.config"), str(work / "train"), 1, "local")
    ]
    assert (_held(folder).outcome, _held(folder).error) == (_UNMEASURED, None)
    assert set(_held(folder).seconds) == {"start", "train"}


def test_a_broken_config_is_a_failure_that_names_it(folder):
    assert one.make_run(folder, _SUITE, _RUN) == keeping.FAILED

    held = _held(folder)
    assert held.outcome is None
    config = folder.checkpoint("source") / "pipeline.config"
    assert held.error.startswith("ValueError: ")
    assert str(config) in held.error


def test_a_run_with_a_result_is_not_done_again(folder, trained):
    _keep(folder)

    assert _main(folder, "--run", _RUN.id) == 0
    assert trained == []
    assert _held(folder) == run_record(_SUITE, _RUN)


def test_a_failed_run_is_done_again(folder, trained):
    _keep(folder, outcome=None, error="older")

    assert _main(folder, "--run", _RUN.id) == 0
    assert _held(folder).error is None


def test_a_result_of_other_settings_is_not_replaced(folder, trained, capsys):
    _keep(folder, config_sha256="0" * 64)

    assert _main(folder, "--run", _RUN.id) == keeping.REFUSED
    assert "must not be mixed" in capsys.readouterr().err
    assert trained == []


def _train_and_lose_the_record(folder, suite_, run):
    assert one.make_run(folder, suite_, run) == 0
    folder.run_record(run.id).unlink()
    checkpoint = folder.run_work(run) / "train" / "checkpoint"
    return checkpoint.read_text(encoding="utf-8")


def test_an_interrupted_training_is_gone_on_with(folder, trained):
    assert _train_and_lose_the_record(folder, _SUITE, _RUN) == "x"
    assert _train_and_lose_the_record(folder, _SUITE, _RUN) == "xx"


def test_a_training_of_other_settings_is_not_gone_on_with(folder, trained):
    _train_and_lose_the_record(folder, _SUITE, _RUN)
    changed = suite(methods={**_SUITE.methods, "SPOTPATCH": Method(rate=0.5)})
    run = next(r for r in runs.select(changed) if r.id == _RUN.id)

    assert _train_and_lose_the_record(folder, changed, run) == "x"


def test_a_training_on_another_base_is_not_gone_on_with(folder, trained):
    _train_and_lose_the_record(folder, _SUITE, _RUN)
    other = base_record(_SUITE, "source", fingerprint="cd" * 32)
    record.write_json(folder.base_record("source"), other)

    # What is measured still says that it patches the first one.
    assert one.make_run(folder, _SUITE, _RUN) == keeping.FAILED
    assert "different bases must not be mixed" in _held(folder).error
    checkpoint = folder.run_work(_RUN) / "train" / "checkpoint"
    assert checkpoint.read_text(encoding="utf-8") == "x"


@pytest.mark.parametrize("missing", ["record", "checkpoint", "data"])
def test_what_a_run_needs_is_asked_for_first(folder, trained, capsys, missing):
    if missing == "data":
        (folder.data / _RUN.task.eval_records).unlink()
        said = "convert birds"
    elif missing == "record":
        folder.base_record("source").unlink()
        said = "--base source"
    else:
        folder.checkpoint("source").rmdir()
        said = "--base source"

    assert _main(folder, "--run", _RUN.id) == keeping.REFUSED
    assert said in capsys.readouterr().err
    assert trained == []
    # It did not fail: it was not begun.
    assert not folder.run_record(_RUN.id).exists()


def test_a_piece_that_is_being_done_is_left_alone(folder, trained, capsys):
    with locked(folder, f"run_{_RUN.id}"):
        assert _main(folder, "--run", _RUN.id) == keeping.REFUSED
        assert _main(folder, "--phone", _RUN.id) == keeping.REFUSED
    assert "another one is doing" in capsys.readouterr().err
    with locked(folder):
        assert _main(folder, "--run", _RUN.id) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--run", "main__x"], "A run must be one of the suite's"),
        (["--run", ""], "A run must be one of the suite's"),
        (["--phone", "main__x"], "A run must be one of the suite's"),
        (["--base", "zoo"], "A base must be one of source, coco_10"),
        (["--data", "cats"], "A task must be one of source, birds, coco"),
        (["--base", "source", "--data", "birds"], "not allowed with argument"),
        (
            [],
            "one of the arguments --data --split --base --publish --run ",
        ),
    ],
)
def test_wrong_names_are_refused(folder, capsys, arguments, message):
    with pytest.raises(SystemExit) as caught:
        _main(folder, *arguments)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_a_directory_without_a_suite_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit) as caught:
        one.main([f"--out_dir={tmp_path}", "--data=birds"])
    assert caught.value.code == 2
    assert str(tmp_path / "suite.json") in capsys.readouterr().err


def test_data_that_nobody_draws_are_not_drawn(folder, capsys):
    assert _main(folder, "--data", "birds") == keeping.REFUSED
    assert "whose records exist already" in capsys.readouterr().err


def test_a_base_that_is_there_is_not_made_again(folder, capsys):
    assert _main(folder, "--base", "source") == 0
    assert "Base source is there." in capsys.readouterr().out


def test_a_failure_on_the_phone_keeps_the_training(folder, monkeypatch):
    _keep(folder, outcome=_UNMEASURED)
    folder.run_work(_RUN).mkdir(parents=True)
    folder.run_patch(_RUN).touch()

    def on_phone(*_):
        raise OSError("no such base")

    monkeypatch.setattr(measuring, "on_phone", on_phone)
    assert one.measure_phone(folder, _RUN) == keeping.FAILED
    assert _held(folder) == run_record(
        _SUITE,
        _RUN,
        outcome=_UNMEASURED,
        error="on the phone: OSError: no such base",
    )

    monkeypatch.setattr(measuring, "on_phone", lambda *_: outcome())
    assert one.measure_phone(folder, _RUN) == 0
    assert _held(folder) == run_record(_SUITE, _RUN)


def test_a_patch_that_did_not_come_along_is_named(folder):
    _keep(folder, outcome=_UNMEASURED)

    assert one.measure_phone(folder, _RUN) == keeping.FAILED
    assert str(folder.run_patch(_RUN)) in _held(folder).error
    assert _held(folder).outcome == _UNMEASURED


@pytest.mark.parametrize("failed", [False, True])
def test_a_phone_needs_a_training(folder, failed):
    if failed:
        _keep(folder, outcome=None, error="no memory")

    with pytest.raises(FolderError, match="which has no result"):
        one.measure_phone(folder, _RUN)


def test_a_phone_is_measured_once(folder, monkeypatch):
    _keep(folder)
    monkeypatch.setattr(measuring, "on_phone", None)

    assert one.measure_phone(folder, _RUN) == 0
    assert _held(folder) == run_record(_SUITE, _RUN)


def test_a_terminated_process_ends_what_it_started(tmp_path):
    code = (
        "import runpy, subprocess, sys\n"
        "from object_detection_patch.decathlon.running import datasets\n"
        "def slow(folder, task):\n"
        "    subprocess.run([sys.executable, '-c', 'import time;'\n"
        "        'print(\"begun\", flush=True); time.sleep(60)'], check=True)\n"
        "datasets.has_records = slow\n"
        "datasets.refuse_other_drawing = lambda *_: None\n"
        "runpy.run_module('object_detection_patch.decathlon.running.one',\n"
        "    run_name='__main__')\n"
    )
    drawn = msgspec.structs.replace(_SUITE, drawn=Drawn(side=48, seed=1))
    record.write_json(tmp_path / "suite.json", drawn)
    with subprocess.Popen(
        [sys.executable, "-c", code, f"--out_dir={tmp_path}", "--data=birds"],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGTERM)
        # The pipe is open as long as anything that it started lives.
        assert process.stdout.read() == ""
    assert process.returncode == 128 + signal.SIGTERM
