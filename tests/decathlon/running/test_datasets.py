"""Data that are missing, empty, cut short, or drawn by other settings."""

from __future__ import annotations

import pytest

from object_detection_patch.decathlon.running import datasets
from object_detection_patch.decathlon.running.folder import (
    FolderError,
    open_folder,
)
from object_detection_patch.decathlon.suite.suite import Drawn, GivenBase
from tests.decathlon.suite.suites_to_test import suite, task

_FILES = ("train_records", "eval_records", "label_map")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "records").mkdir()
    return open_folder(tmp_path / "out", str(tmp_path / "records"))


def _write(folder, *names, content=b"x"):
    for name in names:
        (folder.data / name).write_bytes(content)


def _whole(folder, **changes):
    """A task whose files are there, but for what changes."""
    birds = task("birds", **changes)
    _write(folder, *(getattr(task("birds"), name) for name in _FILES))
    return birds


@pytest.mark.parametrize("missing", _FILES)
def test_missing_files_are_named_with_what_makes_them(folder, missing):
    birds = _whole(folder)
    (folder.data / getattr(birds, missing)).unlink()

    assert not datasets.has_records(folder, birds)
    with pytest.raises(FolderError, match="Task birds .Birds.") as raised:
        datasets.require_records(folder, suite(), birds)
    assert folder.path(getattr(birds, missing)) in str(raised.value)
    assert "tfrecords_tools convert birds" in str(raised.value)


def test_drawn_data_are_to_be_drawn(folder):
    drawn = suite(drawn=Drawn(side=48, seed=1))

    with pytest.raises(FolderError, match="draws them .`--data birds`."):
        datasets.require_records(folder, drawn, task("birds"))


def test_files_that_are_there_pass(folder):
    birds = _whole(folder)

    assert datasets.has_records(folder, birds)
    datasets.require_records(folder, suite(), birds)


@pytest.mark.parametrize("empty", _FILES)
def test_empty_files_are_refused(folder, empty):
    birds = _whole(folder)
    _write(folder, getattr(birds, empty), content=b"")

    assert not datasets.has_records(folder, birds)
    with pytest.raises(FolderError, match="empty files at") as raised:
        datasets.require_records(folder, suite(), birds)
    assert folder.path(getattr(birds, empty)) in str(raised.value)


def test_an_empty_shard_among_others_is_none(folder):
    birds = _whole(folder, train_records="t.record-*")
    _write(folder, "t.record-00000-of-00002")
    _write(folder, "t.record-00001-of-00002", content=b"")

    assert datasets.has_records(folder, birds)


@pytest.mark.parametrize(
    ("shards", "message"),
    [
        (["00000-of-00003", "00002-of-00003"], "2 files .* parts of 00003"),
        (
            ["00000-of-00001", "00000-of-00002", "00001-of-00002"],
            "3 files .* parts of 00001 and of 00002",
        ),
    ],
)
def test_shards_must_be_complete(folder, shards, message):
    birds = _whole(folder, train_records="t.record-*")
    _write(folder, *(f"t.record-{shard}" for shard in shards))

    assert not datasets.has_records(folder, birds)
    with pytest.raises(FolderError, match=message):
        datasets.require_records(folder, suite(), birds)


@pytest.mark.parametrize("missing", ["pipeline.config", "ckpt-0.index"])
def test_a_base_that_should_exist_is_asked_for(folder, missing):
    given = GivenBase(
        key="zoo", pipeline_config="pipeline.config", checkpoint="ckpt-0"
    )
    _write(folder, "pipeline.config", "ckpt-0.index")
    datasets.require_given(folder, given)
    (folder.data / missing).unlink()

    with pytest.raises(FolderError, match="Base zoo needs") as raised:
        datasets.require_given(folder, given)
    assert folder.path(missing.removesuffix(".index")) in str(raised.value)


def test_data_of_other_settings_are_refused(folder):
    seven, eight = (suite(drawn=Drawn(side=96, seed=n)) for n in (7, 8))
    birds = task("birds")
    # Drawn before anything was noted: nobody can tell.
    datasets.refuse_other_drawing(folder, eight, birds)
    datasets.stamp_drawing(folder, seven, birds)
    datasets.refuse_other_drawing(folder, seven, birds)

    with pytest.raises(
        FolderError, match="birds in .*, drawn with another size"
    ):
        datasets.refuse_other_drawing(folder, eight, birds)
    datasets.refuse_other_drawing(folder, eight, task("coco"))


def test_reports_of_converters_are_kept(folder):
    _write(folder, "birds_train_report.json", content=b"{}")
    _write(folder, "coco_eval_report.json", "birds_report.json")
    datasets.keep_reports(folder, task("cars"))
    assert not folder.conversion.exists()

    datasets.keep_reports(folder, task("birds"))
    kept = {
        path.name: path.read_bytes() for path in folder.conversion.iterdir()
    }
    assert kept == {"birds_train_report.json": b"{}"}
