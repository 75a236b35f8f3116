"""Conversion as a user meets it: all or nothing, resumed, never mixed."""

import fcntl
import os
import struct
from pathlib import Path

import pytest

from tfrecords_tools import local_runner, outputs, tf_example
from tfrecords_tools.boxes import BoxConvention
from tfrecords_tools.conversion import Choices, convert
from tfrecords_tools.counts import Counts
from tfrecords_tools.errors import DatasetError
from tfrecords_tools.files import to_path
from tfrecords_tools.label_map import LabelMapItem, read_label_map
from tfrecords_tools.prepare import Rules, prepare
from tfrecords_tools.report import read_report
from tfrecords_tools.writer import frame


class Silence:
    def start(self, activity, total):
        pass

    def advance(self, images):
        pass


def run(converter, output_dir, split="train", **choices):
    choices.setdefault("jobs", 1)
    return convert(converter, split, output_dir, Choices(**choices), Silence())


def contents(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}


def records(data):
    """Payloads of a TFRecord file, framing trusted."""
    payloads = []
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        payloads.append(data[12 : 12 + length])
        data = data[16 + length :]
    return payloads


def test_shards_hold_the_prepared_images_by_turns(make_toys, tmp_path):
    converter = make_toys()
    run(converter, tmp_path / "out")
    expected = [[], [], []]
    for index, image in enumerate(converter.annotated_images("train")):
        example = prepare(image, image.path.read_bytes(), Rules(), Counts())
        expected[index % 3].append(tf_example.serialize(example))
    for index, payloads in enumerate(expected):
        shard = tmp_path / "out" / f"toy_train.record-{index:05d}-of-00003"
        assert shard.read_bytes() == b"".join(map(frame, payloads))
        assert records(shard.read_bytes()) == payloads


def test_the_folder_holds_records_map_and_report_alone(make_toys, tmp_path):
    run(make_toys(), tmp_path / "out")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "toy_label_map.pbtxt",
        "toy_train.record-00000-of-00003",
        "toy_train.record-00001-of-00003",
        "toy_train.record-00002-of-00003",
        "toy_train_report.json",
    ]
    (item,) = read_label_map(tmp_path / "out" / "toy_label_map.pbtxt")
    assert (item.id, item.name, item.display_name) == (1, "toy", "Toy")


def test_the_report_counts_what_was_written(make_toys, tmp_path):
    report = run(make_toys(), tmp_path / "out")
    assert report.counts.images["annotated"] == 7
    assert report.counts.images["written"] == 7
    assert report.counts.boxes["kept"] == 7
    assert report.counts.classes == {"toy": 7}
    assert report.images_by_shard == [3, 2, 2]
    assert report.expected_images == 7
    assert report.options["box_convention"] == "strict"
    stored = read_report(tmp_path / "out" / "toy_train_report.json")
    assert stored.counts == report.counts


def test_processes_write_the_same_bytes(make_toys, tmp_path):
    run(make_toys(), tmp_path / "one")
    run(make_toys(), tmp_path / "two", jobs=2)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Beam's own, on import.
@pytest.mark.parametrize("mode", ["in_memory", "multi_processing"])
def test_beam_writes_the_same_bytes(make_toys, tmp_path, mode):
    run(make_toys(), tmp_path / "one")
    arguments = ["--runner=DirectRunner", f"--direct_running_mode={mode}"]
    run(make_toys(), tmp_path / "two", beam_arguments=arguments, jobs=2)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_stores_that_are_no_disk_get_the_same_bytes(make_toys, tmp_path):
    run(make_toys(), tmp_path / "disk")
    store = to_path("memory://conversion/out")
    run(make_toys(), store)
    assert contents(tmp_path / "disk") == contents(store)


def test_a_wrong_count_is_an_error_before_anything_is_written(
    toys, make_toys, tmp_path
):
    part = toys.write_toys(tmp_path / "part", train=5)
    with pytest.raises(DatasetError, match="must have 7 images.*: 5 "):
        run(make_toys(part), tmp_path / "out")
    assert not contents(tmp_path / "out")


def test_a_part_is_converted_if_that_is_meant(toys, make_toys, tmp_path):
    part = toys.write_toys(tmp_path / "part", train=5)
    report = run(make_toys(part), tmp_path / "out", allow_count_mismatch=True)
    assert report.counts.images["written"] == 5


def test_more_shards_than_images_leaves_some_empty(make_toys, tmp_path):
    run(make_toys(), tmp_path / "out", num_shards=10)
    sizes = [p.stat().st_size for p in (tmp_path / "out").glob("*.record-*")]
    assert len(sizes) == 10
    assert sizes.count(0) == 3


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize(
    "damage, reason",
    [
        (lambda path: path.unlink(), "absent"),
        (lambda path: path.write_bytes(b""), "empty file"),
        (lambda path: path.write_bytes(path.read_bytes()[:-40]), "damaged"),
        (lambda path: path.write_bytes(b"<html>"), "neither JPEG"),
    ],
)
def test_unusable_images_are_named_and_nothing_is_finished(
    make_toys, toy_data, tmp_path, damage, reason, jobs
):
    damage(toy_data / "images" / "train 4.jpg")
    with pytest.raises(DatasetError) as caught:
        run(make_toys(), tmp_path / "out", jobs=jobs)
    assert "1 x" in str(caught.value)
    assert reason in str(caught.value)
    assert "train 4.jpg" in str(caught.value)
    assert not contents(tmp_path / "out")


def test_a_mended_image_costs_only_its_own_shard(
    toys, make_toys, toy_data, tmp_path
):
    image = toy_data / "images" / "train 4.jpg"
    whole = image.read_bytes()
    run(make_toys(), tmp_path / "expected")
    image.unlink()
    with pytest.raises(DatasetError):
        run(make_toys(), tmp_path / "out")
    work = tmp_path / "out" / ".toy_train.partial"
    kept = (work / "shard-00000").stat().st_ino
    image.write_bytes(whole)
    run(make_toys(), tmp_path / "out")
    assert contents(tmp_path / "out") == contents(tmp_path / "expected")
    first = tmp_path / "out" / "toy_train.record-00000-of-00003"
    assert first.stat().st_ino == kept


def test_unusable_images_are_left_out_and_counted_if_that_is_meant(
    make_toys, toy_data, tmp_path
):
    (toy_data / "images" / "train 4.jpg").write_bytes(b"")
    report = run(make_toys(), tmp_path / "out", allow_count_mismatch=True)
    assert report.counts.unusable == {"empty file": 1}
    assert report.counts.images["written"] == 6
    assert report.counts.named["empty file"] == ["train 4.jpg"]
    assert report.counts.dropped == {"its image cannot be used": 1}
    assert report.counts.boxes["annotated"] == 7


@pytest.mark.parametrize("may_lack_images", [False, True])
def test_a_split_without_any_usable_image_is_an_error(
    make_toys, toy_data, tmp_path, may_lack_images
):
    for image in (toy_data / "images").iterdir():
        image.unlink()
    converter = make_toys()
    converter.may_lack_images = may_lack_images
    with pytest.raises(DatasetError, match="none of 7: absent"):
        run(converter, tmp_path / "out", allow_count_mismatch=True)
    assert not contents(tmp_path / "out")


def test_what_does_not_belong_to_the_split_is_counted(make_toys, tmp_path):
    converter = make_toys()
    converter.left_out_images["of no use"] = 2
    converter.left_out_boxes["unknown class"] = 5
    counts = run(converter, tmp_path / "out").counts
    assert counts.left_out == {"of no use": 2}
    assert counts.dropped == {"unknown class": 5}
    assert counts.boxes["annotated"] == 12


def test_leaving_images_out_costs_no_shard_that_was_complete(
    make_toys, toy_data, tmp_path
):
    (toy_data / "images" / "train 4.jpg").write_bytes(b"")
    with pytest.raises(DatasetError):
        run(make_toys(), tmp_path / "out")
    work = tmp_path / "out" / ".toy_train.partial"
    kept = (work / "shard-00000").stat().st_ino
    run(make_toys(), tmp_path / "out", allow_count_mismatch=True)
    first = tmp_path / "out" / "toy_train.record-00000-of-00003"
    assert first.stat().st_ino == kept


def test_what_was_left_out_is_not_taken_for_complete(
    make_toys, toy_data, tmp_path
):
    image = toy_data / "images" / "train 4.jpg"
    whole = image.read_bytes()
    image.write_bytes(b"")
    run(make_toys(), tmp_path / "out", allow_count_mismatch=True)
    with pytest.raises(DatasetError, match="left some out: 1 .empty file"):
        run(make_toys(), tmp_path / "out")
    image.write_bytes(whole)
    report = run(make_toys(), tmp_path / "out", overwrite=True)
    assert report.counts.images["written"] == 7


def test_absent_images_are_counted_where_the_dataset_allows_it(
    make_toys, toy_data, tmp_path
):
    converter = make_toys()
    converter.may_lack_images = True
    (toy_data / "images" / "train 4.jpg").unlink()
    report = run(converter, tmp_path / "out")
    assert report.counts.unusable == {"absent": 1}
    (toy_data / "images" / "train 5.jpg").write_bytes(b"")
    with pytest.raises(DatasetError, match="empty file"):
        run(converter, tmp_path / "other")


@pytest.mark.parametrize("damage", [Path.unlink, lambda p: os.truncate(p, 9)])
def test_a_finished_shard_that_changed_is_not_taken_for_done(
    make_toys, tmp_path, damage
):
    run(make_toys(), tmp_path / "out")
    before = contents(tmp_path / "out")
    shard = tmp_path / "out" / "toy_train.record-00001-of-00003"
    damage(shard)
    with pytest.raises(DatasetError, match="--overwrite.*00001-of-00003"):
        run(make_toys(), tmp_path / "out")
    run(make_toys(), tmp_path / "out", overwrite=True)
    assert contents(tmp_path / "out") == before


def test_files_of_others_stay_where_they_are(make_toys, tmp_path):
    run(make_toys(), tmp_path / "out")
    (tmp_path / "out" / "toy_train.record-old").mkdir()
    backup = tmp_path / "out" / "toy_train.record-00000-of-00003.bak"
    backup.write_bytes(b"mine")
    run(make_toys(), tmp_path / "out", num_shards=2, overwrite=True)
    assert backup.read_bytes() == b"mine"
    assert (tmp_path / "out" / "toy_train.record-old").is_dir()
    shards = (tmp_path / "out").glob("toy_train.record-0000?-of-0000?")
    assert sorted(p.name[-14:] for p in shards) == [
        "00000-of-00002",
        "00001-of-00002",
    ]


def test_overwriting_one_split_spares_the_label_map_of_the_other(
    make_toys, tmp_path, monkeypatch
):
    run(make_toys(), tmp_path / "out")
    run(make_toys(), tmp_path / "out", split="eval")
    before = contents(tmp_path / "out")
    converter = make_toys()
    other = [LabelMapItem(2, "toy", "Toy")]
    monkeypatch.setattr(converter, "label_map", lambda: other)
    monkeypatch.setattr(converter, "label_map_has_gaps", True, raising=False)
    with pytest.raises(DatasetError, match="--overwrite both splits"):
        run(converter, tmp_path / "out", split="eval", overwrite=True)
    assert contents(tmp_path / "out") == before


def test_a_second_run_finds_its_work_done(make_toys, tmp_path):
    run(make_toys(), tmp_path / "out")
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "out").iterdir()}
    report = run(make_toys(), tmp_path / "out")
    after = {p: p.stat().st_mtime_ns for p in (tmp_path / "out").iterdir()}
    assert before == after
    assert report.counts.images["written"] == 7


@pytest.mark.parametrize(
    "change",
    [
        {"num_shards": 2},
        {"rules": Rules(convention=BoxConvention.ODAPI)},
        {"rules": Rules(max_side=16)},
    ],
)
def test_records_of_other_options_are_not_replaced_unasked(
    make_toys, tmp_path, change
):
    run(make_toys(), tmp_path / "out")
    before = contents(tmp_path / "out")
    with pytest.raises(DatasetError, match="--overwrite"):
        run(make_toys(), tmp_path / "out", **change)
    assert contents(tmp_path / "out") == before
    run(make_toys(), tmp_path / "new", **change)
    run(make_toys(), tmp_path / "out", overwrite=True, **change)
    assert contents(tmp_path / "out") == contents(tmp_path / "new")


def test_records_of_other_annotations_are_not_replaced_unasked(
    make_toys, tmp_path
):
    run(make_toys(), tmp_path / "out")
    with pytest.raises(DatasetError, match="--overwrite"):
        run(make_toys(width=5), tmp_path / "out")


def test_overwriting_keeps_the_old_records_until_the_new_are_complete(
    make_toys, toy_data, tmp_path
):
    run(make_toys(), tmp_path / "out")
    before = contents(tmp_path / "out")
    (toy_data / "images" / "train 0.jpg").unlink()
    with pytest.raises(DatasetError, match="absent"):
        run(make_toys(width=5), tmp_path / "out", overwrite=True)
    assert contents(tmp_path / "out") == before


def test_a_label_map_of_other_records_is_not_replaced(make_toys, tmp_path):
    run(make_toys(), tmp_path / "out")
    (tmp_path / "out" / "toy_label_map.pbtxt").write_text(
        "item { id: 1 name: 'doll' }"
    )
    with pytest.raises(DatasetError, match="share one label map"):
        run(make_toys(), tmp_path / "out", split="eval")


def test_a_run_stopped_while_naming_its_shards_is_finished(
    make_toys, tmp_path, monkeypatch
):
    run(make_toys(), tmp_path / "expected")
    named = []

    def stop_at_second(source, target):
        if named:
            raise KeyboardInterrupt
        named.append(target)
        os.replace(source, target)

    monkeypatch.setattr(outputs, "move", stop_at_second)
    with pytest.raises(KeyboardInterrupt):
        run(make_toys(), tmp_path / "out")
    monkeypatch.undo()
    assert not (tmp_path / "out" / "toy_train_report.json").exists()
    run(make_toys(), tmp_path / "out")
    assert contents(tmp_path / "out") == contents(tmp_path / "expected")


def test_what_a_killed_run_left_is_cleared_away(make_toys, tmp_path):
    work = tmp_path / "out" / ".toy_train.partial"
    (work / "scratch-abc").mkdir(parents=True)
    (work / "scratch-abc" / "0").write_bytes(b"stale")
    (work / ".shard-00000.999.partial").write_bytes(b"stale")
    (tmp_path / "toys" / "images" / "train 0.jpg").unlink()
    with pytest.raises(DatasetError, match="absent"):
        run(make_toys(), tmp_path / "out")
    assert not list(work.glob("scratch-*"))
    assert not list(work.glob(".*.partial"))


def test_two_runs_do_not_write_one_split(make_toys, tmp_path):
    work = tmp_path / "out" / ".toy_train.partial"
    work.mkdir(parents=True)
    with (work / "lock").open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(DatasetError, match="one conversion at a time"):
            run(make_toys(), tmp_path / "out")
    run(make_toys(), tmp_path / "out")


def test_a_source_id_occurs_once(toys, make_toys, tmp_path):
    twins = toys.write_toys(tmp_path / "twins", names=["a.jpg", "a.png"])
    with pytest.raises(DatasetError, match="Received twice: 'a'"):
        run(make_toys(twins), tmp_path / "out")


def test_file_names_may_hold_anything(toys, make_toys, tmp_path):
    names = ["a b.jpg", "größe.jpg", "狗.jpg", "tab\there.jpg", "'\".jpg"]
    data = toys.write_toys(tmp_path / "names", names=names)
    run(make_toys(data), tmp_path / "out", allow_count_mismatch=True)
    whole = b"".join(contents(tmp_path / "out").values())
    assert all(name.encode() in whole for name in names)


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_an_image_that_is_no_file_is_not_waited_for(
    make_toys, toy_data, tmp_path, make
):
    image = toy_data / "images" / "train 0.jpg"
    image.unlink()
    make(image)
    with pytest.raises(DatasetError, match="not a file: train 0.jpg"):
        run(make_toys(), tmp_path / "out")


def test_the_first_failure_of_a_process_stops_the_others(
    make_toys, tmp_path, monkeypatch
):
    converter = make_toys()
    other = [LabelMapItem(1, "doll", "Doll")]
    monkeypatch.setattr(converter, "label_map", lambda: other)
    with pytest.raises(ValueError, match="agree with the label map"):
        run(converter, tmp_path / "out", jobs=2)
    assert local_runner.multiprocessing.active_children() == []
