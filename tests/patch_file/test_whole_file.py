"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import pathlib
import signal
import subprocess
import sys

import pytest

from object_detection_patch.patch_file import whole_file

_ROOT = pathlib.Path(__file__).parents[2]


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_written_file_stands_alone_in_its_folder(tmp_path, kind):
    path = tmp_path / "a"
    for data in (b"one", b"", b"three" * 10_000):
        whole_file.write_whole(path, kind(data))
        assert path.read_bytes() == data
    assert os.listdir(tmp_path) == ["a"]


def test_text_path_without_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    whole_file.write_whole("a", b"1")

    assert (tmp_path / "a").read_bytes() == b"1"


def test_symbolic_link_is_followed(tmp_path):
    (tmp_path / "folder").mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "folder" / "a")
    whole_file.write_whole(link, b"1")

    assert link.is_symlink()
    assert (tmp_path / "folder" / "a").read_bytes() == b"1"


def test_missing_folder(tmp_path):
    with pytest.raises(FileNotFoundError):
        whole_file.write_whole(tmp_path / "none" / "a", b"1")


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_failing_disk_leaves_the_old_file(tmp_path, monkeypatch, call):
    path = tmp_path / "a"
    path.write_bytes(b"old")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, call, full)
        with pytest.raises(OSError, match="No space left"):
            whole_file.write_whole(path, b"new")

    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a"]


def test_order_of_what_reaches_the_disk(tmp_path, monkeypatch):
    calls = []
    fsync, replace = os.fsync, os.replace

    def recorded_fsync(descriptor):
        folder = os.path.isdir(f"/proc/self/fd/{descriptor}")
        calls.append("sync folder" if folder else "sync file")
        fsync(descriptor)

    def recorded_replace(old, new):
        assert pathlib.Path(old).read_bytes() == b"new"
        calls.append("rename")
        replace(old, new)

    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("needs /proc")
    monkeypatch.setattr(os, "fsync", recorded_fsync)
    monkeypatch.setattr(os, "replace", recorded_replace)
    whole_file.write_whole(tmp_path / "a", b"new")

    assert calls == ["sync file", "rename", "sync folder"]


def test_folder_that_cannot_be_synced_is_no_error(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "O_RDONLY", os.O_WRONLY)
    whole_file.write_whole(tmp_path / "a", b"1")

    assert (tmp_path / "a").read_bytes() == b"1"


_CHILD = """
import os, sys, time
from object_detection_patch.patch_file import whole_file
def wait(*_):
    print("there", flush=True)
    time.sleep(60)
setattr(os, sys.argv[2], wait)
whole_file.write_whole(sys.argv[1], b"new")
"""


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_kill_before_the_rename_leaves_the_old_file(tmp_path, call):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(path), call],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(_ROOT)},
    ) as child:
        assert child.stdout.readline() == "there\n"
        child.send_signal(signal.SIGKILL)

    assert path.read_bytes() == b"old"
    (left,) = set(os.listdir(tmp_path)) - {"a"}
    assert whole_file.is_hidden(left)
    whole_file.write_whole(path, b"new")
    assert (tmp_path / left).exists()
    _make_older(tmp_path / left, 3700)
    whole_file.write_whole(path, b"newer")
    assert os.listdir(tmp_path) == ["a"]


def _make_older(path: pathlib.Path, seconds: float) -> None:
    then = os.lstat(path).st_mtime - seconds
    os.utime(path, (then, then), follow_symlinks=False)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (".od-patch-00-11.partial", True),
        (".od-patch-00-11", False),
        ("od-patch-00-11.partial", False),
        ("a.partial", False),
        ("a", False),
    ],
)
def test_hidden_names(name, expected):
    assert whole_file.is_hidden(name) is expected


def test_leftovers_of_other_files_stay(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("gone")

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", fail)
        patched.setattr(os, "unlink", lambda _: None)
        for name in "ab":
            with pytest.raises(OSError, match="gone"):
                whole_file.write_whole(tmp_path / name, b"1")
    for left in tmp_path.iterdir():
        _make_older(left, 3700)
    whole_file.write_whole(tmp_path / "a", b"1")

    (left,) = set(os.listdir(tmp_path)) - {"a"}
    assert whole_file.is_hidden(left)
    whole_file.write_whole(tmp_path / "b", b"1")
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_only_files_are_replaced(tmp_path, kind):
    path = tmp_path / "target"
    path.mkdir() if kind == "folder" else os.mkfifo(path)
    with pytest.raises(FileExistsError, match="Only a file") as raised:
        whole_file.write_whole(path, b"new")
    assert raised.value.filename == str(path)
    assert list(tmp_path.iterdir()) == [path]
    assert not path.is_file()


def test_a_full_disk_is_named_by_the_path(tmp_path, monkeypatch):
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left.*target") as raised:
        whole_file.write_whole(tmp_path / "target", b"new")
    assert raised.value.filename == str(tmp_path / "target")
    assert not list(tmp_path.iterdir())


def test_a_name_that_ends_as_a_folder(tmp_path):
    with pytest.raises(FileExistsError, match="Only a file"):
        whole_file.write_whole(f"{tmp_path}/new/", b"new")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("size", "read"), [(0, 0), (9, 9), (10, 10), (12, 11)])
def test_reading_stops_behind_the_limit(tmp_path, size, read):
    (tmp_path / "file").write_bytes(bytes(size))
    assert len(whole_file.read_within(tmp_path / "file", 10)) == read


def test_one_file_under_several_names_is_the_same(tmp_path):
    path, other = tmp_path / "a", tmp_path / "b"
    path.write_bytes(b"1")
    other.write_bytes(b"1")
    os.link(path, tmp_path / "hard")
    (tmp_path / "soft").symlink_to(path)

    assert whole_file.is_same(path, tmp_path / "hard")
    assert whole_file.is_same(path, tmp_path / "soft")
    assert not whole_file.is_same(path, other)


def test_files_that_are_not_there_are_compared_by_path(tmp_path):
    (tmp_path / "folder").mkdir()
    spelt = tmp_path / "folder" / ".." / "a"

    assert whole_file.is_same(tmp_path / "a", spelt)
    assert not whole_file.is_same(tmp_path / "a", tmp_path / "b")
