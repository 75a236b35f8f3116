"""Shares of records, and drawn data in their place."""

from __future__ import annotations

import os
import sys

import pytest
import tensorflow as tf

from object_detection_patch.decathlon.running import data
from object_detection_patch.decathlon.running.folder import open_folder
from object_detection_patch.decathlon.suite import runs
from object_detection_patch.decathlon.suite.suite import Drawn
from tests.decathlon.suite.suites_to_test import suite, task

_DRAWN = Drawn(side=48, seed=3)


def _write(path, numbers):
    with tf.io.TFRecordWriter(str(path)) as writer:
        for number in numbers:
            writer.write(b"record %d" % number)


def _read(path):
    return [
        int(one.numpy().split()[1])
        for one in tf.data.TFRecordDataset(str(path))
    ]


@pytest.fixture(scope="module")
def hundred(tmp_path_factory):
    """A pattern of two files with a hundred records."""
    folder = tmp_path_factory.mktemp("hundred")
    _write(folder / "a.record-00000-of-00002", range(60))
    _write(folder / "a.record-00001-of-00002", range(60, 100))
    return str(folder / "a.record-*")


@pytest.mark.parametrize("percent", range(1, 101))
def test_a_share_is_as_large_as_it_says_and_even(hundred, tmp_path, percent):
    path = tmp_path / "share.record"

    assert data.write_share(hundred, percent, str(path)) == percent
    kept = _read(path)
    assert len(kept) == percent
    assert kept == sorted(set(kept))
    assert not (tmp_path / "share.record.partial").exists()
    # In any stretch as many as in any other of its length, but for one.
    for length in (10, 33):
        counts = [
            sum(start <= number < start + length for number in kept)
            for start in range(0, 101 - length)
        ]
        assert max(counts) - min(counts) <= 1


@pytest.mark.parametrize(
    ("records", "percent", "kept"), [(7, 50, 3), (3, 99, 2), (199, 1, 1)]
)
def test_a_share_of_few_is_rounded_down(tmp_path, records, percent, kept):
    _write(tmp_path / "a.record", range(records))
    path = str(tmp_path / "share")

    assert data.write_share(str(tmp_path / "a.record"), percent, path) == kept
    assert len(_read(path)) == kept


@pytest.mark.parametrize("records", [0, 9])
def test_a_share_without_an_image_is_refused(tmp_path, records):
    _write(tmp_path / "a.record", range(records))
    path = tmp_path / "share.record"

    with pytest.raises(ValueError, match="10 % of 1 files at .*a.record"):
        data.write_share(str(tmp_path / "a.record"), 10, str(path))
    assert not path.exists()


@pytest.fixture
def tools(monkeypatch):
    """Stands in for the tools; notes their words."""
    said = []

    def tool(verb, *arguments):
        said.append((verb, *arguments))
        if verb == "synthesize":
            os.makedirs(f"{arguments[1].partition('=')[2]}/{arguments[0]}")

    monkeypatch.setattr(data, "_tool", tool)
    return said


def test_a_miniature_is_drawn_and_converted(tmp_path, tools):
    folder = open_folder(tmp_path / "out", str(tmp_path / "records"))
    own = tmp_path / "records" / "drawn" / "voc" / "mine.txt"
    own.parent.mkdir(parents=True)
    own.touch()
    data.draw(folder, _DRAWN, task("voc"))

    drawing, converting = tools
    assert drawing[:2] == ("synthesize", "voc")
    assert {"--images=8", "--eval_images=4", "--size=48", "--seed=3"} < set(
        drawing
    )
    assert converting[:2] == ("convert", "voc")
    assert f"--output_dir={tmp_path / 'records'}" in converting
    # Pictures go as they came, and nobody else's.
    assert own.exists()
    assert not list((tmp_path / "out" / "work" / "drawn").iterdir())


def test_held_out_images_are_no_training_images(tmp_path):
    folder = open_folder(tmp_path / "out", str(tmp_path))
    tuned = suite()
    birds, (split,) = tuned.tasks[0], runs.held_out_tasks(tuned)
    _write(tmp_path / birds.train_records, range(8))
    data.hold_out(folder, birds, split)

    held_out = _read(folder.path(split.eval_records))
    rest = _read(folder.path(split.train_records))
    assert sorted(held_out + rest) == list(range(8))
    assert (len(rest), len(held_out)) == (6, 2)
    # Beside somebody's data nothing is written.
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == [
        "out"
    ]


def test_tools_run_in_this_python(monkeypatch):
    ran = []
    monkeypatch.setattr(
        data.subprocess, "run", lambda words, check: ran.append((words, check))
    )
    data._tool("convert", "voc")

    assert ran == [
        ([sys.executable, "-m", "tfrecords_tools", "convert", "voc"], True)
    ]
