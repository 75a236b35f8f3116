"""One process at a time, also after the one that began it was killed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from object_detection_patch.decathlon.running.folder import (
    FolderError,
    open_folder,
)
from object_detection_patch.decathlon.running.lock import locked

_HOLD = (
    "import sys\n"
    "from object_detection_patch.decathlon.running.folder import open_folder\n"
    "from object_detection_patch.decathlon.running.lock import locked\n"
    "with locked(open_folder(sys.argv[1]), *sys.argv[2:]):\n"
    "    print('held', flush=True)\n"
    "    sys.stdin.read()\n"
)


def _holder(*arguments):
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    return process


def _refused(folder, *piece):
    try:
        with locked(folder, *piece):
            return ""
    except FolderError as error:
        return str(error)


@pytest.mark.parametrize(
    ("piece", "message"),
    [
        ((), "another one is using"),
        (("run_a",), "run_a of .* which another one is doing"),
    ],
)
def test_a_second_process_is_refused_until_the_first_is_gone(
    tmp_path, piece, message
):
    folder = open_folder(tmp_path)
    with _holder(tmp_path, *piece) as process:
        with pytest.raises(FolderError, match=message), locked(folder, *piece):
            pass
        process.kill()
        process.wait()

    assert not _refused(folder, *piece)


def test_a_process_that_is_left_behind_keeps_the_directory(tmp_path):
    folder = open_folder(tmp_path)
    with locked(folder) as lock:
        child = subprocess.Popen(
            [sys.executable, "-c", "import sys; sys.stdin.read()"],
            stdin=subprocess.PIPE,
            pass_fds=[lock],
        )
    with child:
        assert "or a process that one left behind" in _refused(folder)

    assert not _refused(folder)


def test_pieces_are_held_one_by_one(tmp_path):
    folder = open_folder(tmp_path)
    with locked(folder), locked(folder, "run_a"), locked(folder, "run_b"):
        assert _refused(folder)
        assert _refused(folder, "run_a")
        assert not _refused(folder, "run_c")
