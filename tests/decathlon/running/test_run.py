"""A small suite from drawing to records: done once, resumed, broken."""

from __future__ import annotations

import os
import subprocess
import sys

import msgspec
import pytest

from object_detection_patch.decathlon.running import record
from object_detection_patch.decathlon.running import run as running
from object_detection_patch.decathlon.running.folder import (
    FolderError,
    locked,
    open_folder,
)
from object_detection_patch.decathlon.running.one import find_run
from object_detection_patch.decathlon.suite import mini, runs
from object_detection_patch.decathlon.suite.suite import Drawn, Method
from object_detection_patch.patch_file import read_patch
from tests.decathlon.running.records_to_test import base_record, run_record
from tests.decathlon.suite import suites_to_test

_FINITE = ("FINE_TUNING", "SPOTPATCH")
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
            "FINE_TUNING": Method(rate=1e-4),
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

    assert "3 runs to do, 0 finished" in ended.stderr
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
    work = running.find_work(folder, _suite(), runs.select(_suite()))

    assert running.commands(work) == []
    assert "0 runs to do, 2 finished, 1 failed before" in running.describe(work)


def test_only_a_failed_run_is_tried_again(done):
    folder, _ = done
    work = running.find_work(
        folder, _suite(), runs.select(_suite()), retry_failed=True
    )

    assert [line.split()[-1] for line in running.commands(work)] == [
        "main__bn_patch__voc__seed1"
    ]


def test_a_directory_in_use_is_left_alone(done):
    folder, _ = done
    with locked(folder), pytest.raises(FolderError, match="another one is"):
        running.run_suite(folder, _suite(), runs.select(_suite()), jobs=1)


def test_commands_come_in_blocks_in_the_order_of_need(tmp_path):
    folder = open_folder(tmp_path)
    suite = mini.suite()
    selected = runs.select(suite, tasks=["voc"], methods=["SPOTPATCH"])
    work = running.find_work(folder, suite, selected, phone=True)
    blocks = "\n".join(running.commands(work)).split("\n\n")

    lines = [block.splitlines() for block in blocks]
    assert [len(block) for block in lines] == [10, 1, 1, 1]
    assert lines[1][0].endswith("--base oid")
    assert lines[2][0].endswith("--run main__spotpatch__voc__seed1")
    assert lines[3][0].endswith("--phone main__spotpatch__voc__seed1")
    assert all(f"--out_dir={tmp_path}" in line for line in sum(lines, []))


def test_images_to_tune_on_are_split_after_they_are_drawn(tmp_path):
    folder = open_folder(tmp_path)
    suite = mini.suite()
    selected = runs.select(suite, experiments=["tuning"])
    tuned = [run for run in selected if run.task.key == "kitti_held_out"]
    work = running.find_work(folder, suite, tuned[:1])
    blocks = "\n".join(running.commands(work)).split("\n\n")

    # The base's detections are drawn in every task's images.
    assert len(blocks[0].splitlines()) == 10
    assert blocks[1].endswith("--split kitti_held_out")
    assert blocks[2].endswith("--base oid")
    assert len(blocks) == 4


def test_data_of_others_are_asked_for_before_training(tmp_path):
    suite = suites_to_test.suite()
    folder = open_folder(tmp_path / "out", str(tmp_path))

    with pytest.raises(FolderError, match="Task birds") as raised:
        running.run_suite(folder, suite, runs.select(suite), jobs=1)
    assert "python -m tfrecords_tools convert birds" in str(raised.value)


def test_a_measured_phone_is_not_measured_again(tmp_path):
    folder = open_folder(tmp_path)
    suite = suites_to_test.suite(phone=True)
    first, second, *others = runs.select(suite)
    whole = run_record(suite, first)
    unmeasured = msgspec.structs.replace(whole.outcome, int8=None)
    for run, outcome in ((first, whole.outcome), (second, unmeasured)):
        path = folder.run_record(run.id)
        path.parent.mkdir(exist_ok=True)
        record.write_json(path, run_record(suite, run, outcome=outcome))
    work = running.find_work(
        folder, suite, [first, second, *others], phone=True
    )

    assert work.plan.phone == (second, *others)
    assert work.plan.finished == (first, second)


def test_a_run_is_found_by_its_id_alone():
    for run in runs.all_runs(mini.suite(), 2):
        assert find_run(mini.suite(), run.id) == run
    for wrong in ("main__spotpatch__voc__seed0", "main__spotpatch__voc", ""):
        with pytest.raises(ValueError, match="one of the suite's"):
            find_run(mini.suite(), wrong)


def test_records_without_work_ask_for_their_base(tmp_path):
    folder = open_folder(tmp_path)
    suite = suites_to_test.suite()
    path = folder.base_record("source")
    path.parent.mkdir()
    record.write_json(path, base_record(suite, "source"))

    work = running.find_work(folder, suite, runs.select(suite))
    assert [job.command[-1] for job in work.bases] == ["source"]
