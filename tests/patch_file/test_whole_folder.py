"""A directory that is there whole, on the disk, or not at all."""

from __future__ import annotations

import os
import pathlib

import pytest

from object_detection_patch.patch_file import whole_folder


def _fill(folder: str) -> None:
    root = pathlib.Path(folder)
    (root / "checkpoint").mkdir()
    (root / "checkpoint" / "ckpt-0.index").write_bytes(b"index")
    (root / "base.tflite").write_bytes(b"model")


def _names(folder: pathlib.Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def calls(monkeypatch) -> list[int | str]:
    """The inode of what is synced and the target of a rename, in order."""
    made: list[int | str] = []
    fsync, rename = os.fsync, os.rename

    def recorded_fsync(descriptor: int) -> None:
        made.append(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    def recorded_rename(source: str, target: str) -> None:
        made.append(os.path.basename(target))
        rename(source, target)

    monkeypatch.setattr(os, "fsync", recorded_fsync)
    monkeypatch.setattr(os, "rename", recorded_rename)
    return made


def test_it_appears_whole(tmp_path):
    target = tmp_path / "new" / "out"
    with whole_folder.whole_directory(str(target)) as folder:
        _fill(folder)
        assert not target.exists()
    assert (target / "checkpoint" / "ckpt-0.index").read_bytes() == b"index"
    assert (target / "base.tflite").read_bytes() == b"model"
    assert _names(target.parent) == ["out"]
    assert target.stat().st_mode & 0o777 == 0o755


def test_it_replaces_an_empty_folder(tmp_path):
    target = tmp_path / "out"
    target.mkdir()
    with whole_folder.whole_directory(str(target)) as folder:
        _fill(folder)
    assert _names(target) == ["base.tflite", "checkpoint"]


def test_all_is_on_the_disk_before_it_has_its_name(tmp_path, calls):
    target = tmp_path / "out"
    with whole_folder.whole_directory(str(target)) as folder:
        _fill(folder)
        written = [pathlib.Path(folder), *pathlib.Path(folder).rglob("*")]
        inodes = {path.stat().st_ino for path in written}
        assert calls == []
    at = calls.index("out")
    assert len(inodes) == 4
    assert set(calls[:at]) == inodes
    assert calls[at + 1 :] == [tmp_path.stat().st_ino]


@pytest.mark.parametrize(
    "error", [ValueError, KeyboardInterrupt, SystemExit, GeneratorExit]
)
def test_nothing_is_left_of_one_that_failed(tmp_path, error):
    target = tmp_path / "out"
    with pytest.raises(error):
        with whole_folder.whole_directory(str(target)) as folder:
            _fill(folder)
            raise error
    assert _names(tmp_path) == []


@pytest.mark.parametrize("call", ["fsync", "rename"])
def test_nothing_is_left_of_one_that_the_disk_refused(
    tmp_path, monkeypatch, call
):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        with whole_folder.whole_directory(str(tmp_path / "out")) as folder:
            _fill(folder)
            monkeypatch.setattr(os, call, refuse)
    assert _names(tmp_path) == []


def test_another_writers_folder_stays(tmp_path):
    """Two at once: the second finds the first's result and fails."""
    target = tmp_path / "out"
    with pytest.raises(OSError):
        with whole_folder.whole_directory(str(target)) as folder:
            _fill(folder)
            target.mkdir()
            (target / "mine").write_bytes(b"")
    assert _names(tmp_path) == ["out"]
    assert _names(target) == ["mine"]


@pytest.mark.parametrize("name", ["mine.txt", ".hidden"])
def test_a_filled_folder_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(ValueError, match="must be new or empty"):
        whole_folder.refuse_filled(str(tmp_path))
    whole_folder.refuse_filled(str(tmp_path / "new" / "folder"))
