"""A file is complete under its name, or the old one is still there."""

import os
import signal
import subprocess
import sys

import pytest

from tfrecords_tools.atomic import replace_together


def test_names_appear_only_when_all_files_are_complete(tmp_path):
    paths = [tmp_path / "a", tmp_path / "b"]
    with replace_together(paths) as files:
        for path, file in zip(paths, files, strict=True):
            file.write(path.name.encode())
        assert not any(path.exists() for path in paths)
    assert [path.read_bytes() for path in paths] == [b"a", b"b"]
    assert sorted(tmp_path.iterdir()) == paths


def test_failure_keeps_the_old_file_and_leaves_no_other(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with pytest.raises(OSError, match="disk full"):
        with replace_together([path]) as (file,):
            file.write(b"new")
            raise OSError("disk full")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_failure_to_open_a_later_file_removes_the_earlier(tmp_path):
    paths = [tmp_path / "a", tmp_path / "missing" / "b"]
    with pytest.raises(FileNotFoundError):
        with replace_together(paths):
            pytest.fail("the block must not run")
    assert list(tmp_path.iterdir()) == []


def test_kill_during_the_write_keeps_the_old_file(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    script = (
        "import sys, time; from pathlib import Path;"
        "from tfrecords_tools.atomic import replace_together\n"
        "with replace_together([Path(sys.argv[1])]) as (file,):\n"
        "    file.write(b'new' * 100000); file.flush()\n"
        "    print('writing', flush=True); time.sleep(60)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    with child:
        assert child.stdout.readline() == b"writing\n"
        child.send_signal(signal.SIGKILL)
    assert path.read_bytes() == b"old"
