"""What is left, as command lines in the order of need."""

from __future__ import annotations

import os
import shlex

import msgspec
import pytest

from object_detection_patch.decathlon.running import datasets, one, record
from object_detection_patch.decathlon.running import work as works
from object_detection_patch.decathlon.running.folder import (
    FolderError,
    open_folder,
)
from object_detection_patch.decathlon.suite import mini, runs
from object_detection_patch.decathlon.suite.suite import Drawn
from tests.decathlon.running.records_to_test import base_record, run_record
from tests.decathlon.suite import suites_to_test


def test_commands_come_in_blocks_in_the_order_of_need(tmp_path):
    folder = open_folder(tmp_path)
    suite = mini.suite()
    selected = runs.select(suite, tasks=["voc"], methods=["SPOTPATCH"])
    work = works.find_work(folder, suite, selected, phone=True)
    blocks = "\n".join(works.commands(work)).split("\n\n")

    lines = [block.splitlines() for block in blocks]
    # The phone's int8 base is calibrated on the source's images.
    assert [len(block) for block in lines] == [2, 1, 1, 1, 1]
    assert lines[1][0].endswith("--base oid")
    assert lines[2][0].endswith("--publish oid")
    assert lines[3][0].endswith("--run main__spotpatch__voc__seed1")
    assert lines[4][0].endswith("--phone main__spotpatch__voc__seed1")
    assert all(f"--out_dir={tmp_path}" in line for line in sum(lines, []))


def test_runs_that_start_from_others_wait_for_them(tmp_path):
    folder = open_folder(tmp_path)
    suite = mini.suite()
    selected = runs.select(
        suite, experiments=["families"], methods=["PARALLEL_ADAPTERS"]
    )
    work = works.find_work(folder, suite, selected)
    *_, whole, compressed = "\n".join(works.commands(work)).split("\n\n")

    assert {line.split("adapters__")[1] for line in whole.splitlines()} == {
        f"{task}__seed1" for task in ("voc", "birds", "kitti")
    }
    assert len(compressed.splitlines()) == 6
    assert all("svd__seed1" in line for line in compressed.splitlines())


def test_tasks_that_train_together_are_one_piece_of_work(tmp_path):
    folder = open_folder(tmp_path)
    suite = mini.suite()
    selected = runs.select(suite, experiments=["joint"])
    first, second, _, *others = selected
    for run in (first, *others):
        record.write_json(folder.run_record(run.id), run_record(suite, run))
    work = works.find_work(folder, suite, selected)
    drawn, *_, trained = "\n".join(works.commands(work)).split("\n\n")

    # The first has its result; what gave it is trained again for the others.
    (job,) = work.runs
    assert trained.endswith(f"--run {first.id}")
    assert job.title == "PRIVATE_NONE on birds, kitti, voc"
    assert job.steps == first.task.schedule.steps
    keys = {line.split()[-1] for line in drawn.splitlines()}
    assert keys == {"birds", "kitti", "voc"}
    assert second in work.plan.todo and first in work.plan.finished


def test_images_to_tune_on_are_split_after_they_are_drawn(tmp_path):
    folder = open_folder(tmp_path)
    suite = mini.suite()
    selected = runs.select(suite, experiments=["tuning"])
    tuned = [run for run in selected if run.task.key == "kitti_held_out"]
    work = works.find_work(folder, suite, tuned[:1])
    blocks = "\n".join(works.commands(work)).split("\n\n")

    assert [line.split()[-1] for line in blocks[0].splitlines()] == ["kitti"]
    assert blocks[1].endswith("--split kitti_held_out")
    assert blocks[2].endswith("--base oid")
    assert len(blocks) == 4


def test_a_split_of_another_size_is_refused(tmp_path):
    folder = open_folder(tmp_path)
    suite = suites_to_test.suite()
    selected = runs.select(suite, experiments=["tuning"])
    (split,) = runs.held_out_tasks(suite)
    os.makedirs(os.path.dirname(folder.path(split.train_records)))
    datasets.stamp_drawing(folder, suite, split)
    works.find_work(folder, suite, selected)
    tuning = msgspec.structs.replace(suite.tuning, percent=50)
    other = suites_to_test.suite(tuning=tuning)

    with pytest.raises(
        FolderError, match="birds_held_out in .*held_out, drawn"
    ):
        works.find_work(
            folder, other, runs.select(other, experiments=["tuning"])
        )


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
    work = works.find_work(folder, suite, [first, second, *others], phone=True)

    assert work.plan.phone == (second, *others)
    assert work.plan.finished == (first, second)


def test_records_without_work_ask_for_their_base(tmp_path):
    folder = open_folder(tmp_path)
    suite = suites_to_test.suite()
    path = folder.base_record("source")
    path.parent.mkdir()
    record.write_json(path, base_record(suite, "source"))

    work = works.find_work(folder, suite, runs.select(suite))
    assert [job.command[-1] for job in work.bases] == ["source"]


def test_commands_say_the_same_to_a_shell_and_to_one(tmp_path):
    folder = open_folder(tmp_path / 'a "b" $c', str(tmp_path / "d e"))
    work = works.find_work(
        folder, mini.suite(), runs.select(mini.suite(), tasks=["voc"])
    )
    for line in filter(None, works.commands(work)):
        options = one._parser().parse_args(shlex.split(line)[3:])
        assert options.out_dir == str(folder.root)
        assert options.data_dir == str(folder.data)
    assert options.run == "main__spotpatch__voc__seed1"


def test_what_the_phone_measures_needs_its_data_too(tmp_path):
    folder = open_folder(tmp_path)
    drawn = suites_to_test.suite(phone=True, drawn=Drawn(side=48, seed=1))
    first, *_ = runs.select(drawn)
    unmeasured = msgspec.structs.replace(
        run_record(drawn, first).outcome, int8=None
    )
    for path, held in (
        (folder.run_record(first.id), run_record(drawn, first)),
        (folder.base_record("source"), base_record(drawn, "source")),
    ):
        record.write_json(path, held)
    folder.checkpoint("source").mkdir(parents=True)
    work = works.find_work(folder, drawn, [first], phone=True)
    assert (work.data, work.phones) == ((), ())

    record.write_json(
        folder.run_record(first.id),
        run_record(drawn, first, outcome=unmeasured),
    )
    work = works.find_work(folder, drawn, [first], phone=True)
    assert [job.command[-1] for job in work.data] == ["birds"]
    assert [job.command[-1] for job in work.phones] == [first.id]


def test_data_that_were_drawn_otherwise_are_refused(tmp_path):
    folder = open_folder(tmp_path)
    folder.data.mkdir(parents=True)
    seven, eight = (
        suites_to_test.suite(drawn=Drawn(side=48, seed=n)) for n in (7, 8)
    )
    datasets.stamp_drawing(folder, seven, seven.tasks[0])

    works.find_work(folder, seven, runs.select(seven))
    with pytest.raises(FolderError, match="birds in .*, drawn with another"):
        works.find_work(folder, eight, runs.select(eight))
