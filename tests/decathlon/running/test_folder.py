"""A decathlon's directory: its paths, and work of one kind in each."""

from __future__ import annotations

import pytest

from object_detection_patch.decathlon.running.folder import (
    FolderError,
    empty_unless,
    open_folder,
)
from object_detection_patch.decathlon.suite.suite import GivenBase


def test_paths_of_a_suite_are_seen_from_the_data_directory(tmp_path):
    folder = open_folder(tmp_path / "out", str(tmp_path / "records"))

    assert folder.path("a.record") == str(tmp_path / "records" / "a.record")
    assert folder.path("/b/a.record") == "/b/a.record"
    own = open_folder(tmp_path / "out")
    assert own.data == tmp_path / "out" / "work" / "data"


def test_directories_are_kept_whole_whatever_the_place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = open_folder("a b", "../records")
    monkeypatch.chdir("/")

    assert folder.root == tmp_path / "a b"
    assert folder.data == tmp_path.parent / "records"
    given = GivenBase(key="zoo", pipeline_config="p", checkpoint="/c")
    assert folder.given(given) == (str(folder.data / "p"), "/c")


@pytest.mark.parametrize("character", "*?[]'\\\n")
@pytest.mark.parametrize("option", ["--out_dir", "--data_dir"])
def test_characters_of_patterns_and_quotes_are_refused(character, option):
    bad = f"/data/it{character}s"
    paths = (bad, "/data") if option == "--out_dir" else ("/data", bad)

    with pytest.raises(FolderError, match=f"`{option}` must be a path without"):
        open_folder(*paths)


def test_work_of_the_same_kind_is_gone_on_with(tmp_path):
    work = tmp_path / "runs" / "one"
    empty_unless(work, "first")
    (work / "train").mkdir()
    empty_unless(work, "first")

    assert (work / "train").is_dir()


def test_work_of_another_kind_is_removed(tmp_path):
    work = tmp_path / "one"
    for identity in ("first", "second", "first"):
        empty_unless(work, identity)
        assert not (work / "train").exists()
        (work / "train").mkdir()


def test_work_of_an_unknown_kind_is_removed(tmp_path):
    (tmp_path / "one" / "train").mkdir(parents=True)
    empty_unless(tmp_path / "one", "first")

    assert not (tmp_path / "one" / "train").exists()


def test_work_that_was_half_removed_is_of_no_kind(tmp_path, monkeypatch):
    work = tmp_path / "one"
    empty_unless(work, "first")
    (work / "train").mkdir()

    def killed(path):
        raise KeyboardInterrupt

    monkeypatch.setattr("shutil.rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        empty_unless(work, "second")
    monkeypatch.undo()
    empty_unless(work, "first")

    assert not (work / "train").exists()
