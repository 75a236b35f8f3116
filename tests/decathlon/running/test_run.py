"""A small suite from drawing to records: done once, resumed, broken."""

from __future__ import annotations

import os
import subprocess
import sys

import msgspec
import pytest

from object_detection_patch.decathlon.running import plan, record
from object_detection_patch.decathlon.running import run as running
from object_detection_patch.decathlon.running import work as works
from object_detection_patch.decathlon.running.folder import (
    FolderError,
    open_folder,
)
from object_detection_patch.decathlon.running.jobs import Job
from object_detection_patch.decathlon.running.lock import locked
from object_detection_patch.decathlon.suite import mini, runs
from object_detection_patch.decathlon.suite.suite import Drawn, Joint, Method
from object_detection_patch.patch_file import read_patch
from tests.decathlon.running.records_to_test import run_record
from tests.decathlon.suite import suites_to_test

_FINITE = ("SPOTPATCH",)
# Its first steps already leave the finite numbers.
_EXPLODING = Method(rate=1e30)


def _small(key, **changes):
    """One of the mini suite's tasks, for a few steps."""
    task = next(t for t in mini.suite().tasks if t.key == key)
    return msgspec.structs.replace(
        task,
        train_images=6,
        eval_images=4,
        schedule=suites_to_test.SCHEDULE,
        **changes,
    )


def _suite():
    return suites_to_test.suite(
        source=_small("coco"),
        tasks=(_small("voc"),),
        base=suites_to_test.base("coco", "coco"),
        methods={
            "SPOTPATCH": Method(rate=1e-3),
            "BN_PATCH": _EXPLODING,
        },
        drawn=Drawn(side=48, seed=3),
        updating=None,
        sparsity=None,
        tuning=None,
        quick=(("voc",), ("SPOTPATCH",)),
    )


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A directory after `od-patch decathlon run`, and what that said."""
    out_dir = tmp_path_factory.mktemp("decathlon") / "out"
    path = out_dir.parent / "mine.json"
    record.write_json(path, _suite())
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "object_detection_patch.cli"),
            *("decathlon", "run", "--suite", str(path)),
            *("--out_dir", str(out_dir), "--experiments", "main"),
        ],
        capture_output=True,
        text=True,
        env=os.environ | {"TF_USE_LEGACY_KERAS": "1"},
        check=False,
    )
    return open_folder(out_dir), ended


def _outcomes(folder):
    return {
        run.method: record.read_run(folder.run_record(run.id))
        for run in runs.select(_suite())
    }


def test_it_says_what_it_does_and_what_failed(done):
    _, ended = done

    assert "2 runs to do, 0 finished" in ended.stderr
    assert "1 failed now" in ended.stderr
    assert ended.returncode == 1, ended.stderr


def test_records_agree_with_the_patch_files_beside_them(done):
    folder, _ = done
    for run in runs.select(_suite(), methods=_FINITE):
        held = record.read_run(folder.run_record(run.id))
        assert held.error is None
        patch = read_patch(folder.run_patch(run))
        size = folder.run_patch(run).stat().st_size

        assert held.outcome.base_fingerprint == patch.base_fingerprint
        assert held.outcome.file_bytes["exact"].whole == size
        assert held.outcome.footprint.bits_32 == patch.metadata["nominal_bits"]
        assert (
            held.outcome.footprint.base_parameters
            == (patch.metadata["base_parameters"])
        )
        assert [gate.name for gate in held.outcome.gates] == [
            gate["name"] for gate in patch.metadata["gateable"]
        ]


def test_the_base_is_the_one_that_was_patched(done):
    folder, _ = done
    base = record.read_base(folder.base_record("coco"))

    assert {
        held.outcome.base_fingerprint
        for method, held in _outcomes(folder).items()
        if method in _FINITE
    } == {base.fingerprint}


def test_a_run_that_cannot_end_well_says_why(done):
    folder, _ = done
    held = _outcomes(folder)["BN_PATCH"]

    assert held.outcome is None
    assert "NonFiniteError" in held.error


def test_converters_reports_and_pictures_are_kept(done):
    folder, _ = done

    assert (folder.conversion / "voc_train_report.json").exists()
    assert (folder.base_work("coco") / "drawn_voc.npz").exists()
    for run in runs.select(_suite(), methods=_FINITE):
        assert (folder.run_work(run) / "drawn.npz").exists()


def test_nothing_is_done_twice(done):
    folder, _ = done
    work = works.find_work(folder, _suite(), runs.select(_suite()))

    assert works.commands(work) == []
    assert "0 runs to do, 1 finished, 1 failed before" in works.describe(work)


def test_only_a_failed_run_is_tried_again(done):
    folder, _ = done
    work = works.find_work(
        folder, _suite(), runs.select(_suite()), retry_failed=True
    )

    assert [line.split()[-1] for line in works.commands(work)] == [
        "main__bn_patch__voc__seed1"
    ]


def test_a_directory_in_use_is_left_alone(done):
    folder, _ = done
    with locked(folder), pytest.raises(FolderError, match="another one is"):
        running.run_suite(folder, _suite(), runs.select(_suite()), jobs=1)


def test_data_of_others_are_asked_for_before_training(tmp_path):
    suite = suites_to_test.suite()
    folder = open_folder(tmp_path / "out", str(tmp_path))

    with pytest.raises(FolderError, match="Task birds") as raised:
        running.run_suite(folder, suite, runs.select(suite), jobs=1)
    assert "python -m tfrecords_tools convert birds" in str(raised.value)


def test_empty_data_are_asked_for_before_training(tmp_path):
    suite = suites_to_test.suite()
    folder = open_folder(tmp_path / "out", str(tmp_path))
    for task in (suite.source, *suite.tasks):
        for name in ("train_records", "eval_records", "label_map"):
            (tmp_path / getattr(task, name)).touch()

    with pytest.raises(FolderError, match="Task birds .* empty files at"):
        running.run_suite(folder, suite, runs.select(suite), jobs=1)


def _ends(tmp_path, code, run_id, **changes):
    """A job that ends at once, in the way of `code`."""
    command = (sys.executable, "-c", f"import os, sys\n{code}", run_id)
    return Job("dying", command, tmp_path / f"{run_id}.txt", **changes)


@pytest.fixture
def doing(tmp_path):
    folder = open_folder(tmp_path / "out")
    with locked(folder) as lock:
        yield running._Doing(folder, suites_to_test.suite(), 2, lock)


def _work(data=(), bases=(), run_jobs=(), phones=()):
    return works.Work(
        data, (), bases, (), run_jobs, (), phones, plan.Plan((), (), ())
    )


def test_a_killed_run_is_recorded_and_the_rest_goes_on(tmp_path, doing):
    first, second, third, _ = runs.select(suites_to_test.suite())
    folder = open_folder(tmp_path / "out")
    kill = "print('said last', flush=True); os.kill(os.getpid(), 9)"
    marker = tmp_path / "done"
    jobs = (
        _ends(tmp_path, kill, first.id),
        _ends(tmp_path, f"open({str(marker)!r}, 'w')", second.id),
        # It has recorded why, or had nothing to record.
        _ends(tmp_path, "sys.exit(2)", third.id),
    )
    phones = (
        _ends(tmp_path, "sys.exit(9)", first.id),
        _ends(tmp_path, f"os.remove({str(marker)!r})", second.id),
    )

    assert doing.do(_work(run_jobs=jobs, phones=phones)) == 2
    held = record.read_run(folder.run_record(first.id))
    assert held.outcome is None
    assert "ended by signal 9" in held.error
    assert held.error.endswith("said last")
    assert os.listdir(folder.root / "runs") == [f"{first.id}.json"]
    # The second was measured, the first was not even tried.
    assert not marker.exists()


@pytest.mark.parametrize(
    ("code", "lost", "said"),
    [
        ("os.kill(os.getpid(), 9)", 1, "ended by signal 9"),
        # It has recorded why.
        ("sys.exit(3)", 1, None),
        ("pass", 0, None),
    ],
)
def test_all_that_train_together_share_a_death(tmp_path, code, lost, said):
    private = {"both": 1e-2}
    suite = suites_to_test.suite(
        joint=Joint(tasks=("birds", "coco"), private=private)
    )
    first, second = runs.select(suite, experiments=["joint"])
    folder = open_folder(tmp_path / "out")
    record.write_json(folder.run_record(first.id), run_record(suite, first))
    with locked(folder) as lock:
        doing = running._Doing(folder, suite, 2, lock)
        jobs = (_ends(tmp_path, code, first.id),)
        assert doing.do(_work(run_jobs=jobs)) == lost

    # What has a result keeps it.
    held = record.read_run(folder.run_record(first.id))
    assert held == run_record(suite, first)
    path = folder.run_record(second.id)
    assert path.exists() == (said is not None)
    if said:
        assert said in record.read_run(path).error


def test_a_result_of_a_process_that_broke_later_counts(tmp_path, doing):
    suite = suites_to_test.suite()
    first, *_ = runs.select(suite)
    folder = open_folder(tmp_path / "out")
    record.write_json(folder.run_record(first.id), run_record(suite, first))
    job = _ends(tmp_path, "os.kill(os.getpid(), 11)", first.id)

    assert doing.do(_work(run_jobs=(job,))) == 0
    held = record.read_run(folder.run_record(first.id))
    assert held == run_record(suite, first)


def test_without_data_nothing_goes_on(tmp_path, doing):
    jobs = (_ends(tmp_path, "sys.exit('no paint')", "birds"),)
    later = (_ends(tmp_path, "sys.exit(9)", "never"),)

    with pytest.raises(running.JobError, match="exit code 1; .*\nno paint"):
        doing.do(_work(data=jobs, bases=later))
    assert not (tmp_path / "never.txt").exists()


def test_reports_of_converters_are_kept_of_real_data(tmp_path):
    suite = suites_to_test.suite()
    folder = open_folder(tmp_path / "out", str(tmp_path))
    for task in (suite.source, *suite.tasks):
        for name in ("train_records", "eval_records", "label_map"):
            (tmp_path / getattr(task, name)).write_bytes(b"x")
    (tmp_path / "birds_eval_report.json").write_bytes(b"{}")
    running.list_commands(folder, suite, runs.select(suite))

    assert os.listdir(folder.conversion) == ["birds_eval_report.json"]


def test_all_that_is_missing_is_named_at_once(tmp_path):
    suite = suites_to_test.suite()
    folder = open_folder(tmp_path / "out", str(tmp_path))
    keys = [task.key for task in suite.tasks]

    with pytest.raises(FolderError) as caught:
        running.list_commands(folder, suite, runs.select(suite))
    lines = str(caught.value).splitlines()
    assert [line.split()[1] for line in lines[: len(keys)]] == keys
    assert len(lines) == len(keys) + 1, "and the source, for the base"


def test_nothing_left_is_said(tmp_path, capsys):
    suite = suites_to_test.suite()
    folder = open_folder(tmp_path / "out", str(tmp_path))
    for task in (suite.source, *suite.tasks):
        for name in ("train_records", "eval_records", "label_map"):
            (tmp_path / getattr(task, name)).write_bytes(b"x")
    first, *_ = runs.select(suite)
    record.write_json(folder.suite, suite)
    record.write_json(folder.run_record(first.id), run_record(suite, first))

    assert running.list_commands(folder, suite, [first]) == []
    assert capsys.readouterr().err == "0 runs to do, 1 finished.\n"
