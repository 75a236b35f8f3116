"""A decathlon's directory: one run at a time, data named when missing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from object_detection_patch.decathlon.running.folder import (
    FolderError,
    empty_unless,
    locked,
    open_folder,
    require_records,
)
from tests.decathlon.suite.suites_to_test import task

_HOLD = (
    "import sys\n"
    "from object_detection_patch.decathlon.running.folder import *\n"
    "with locked(open_folder(sys.argv[1])):\n"
    "    print('held', flush=True)\n"
    "    sys.stdin.read()\n"
)


def test_a_second_process_is_refused_until_the_first_is_gone(tmp_path):
    folder = open_folder(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "held\n"
        with (
            pytest.raises(FolderError, match="another one is using"),
            locked(folder),
        ):
            pass
        process.kill()
        process.wait()
    with locked(folder):
        pass


def test_paths_of_a_suite_are_seen_from_the_data_directory(tmp_path):
    folder = open_folder(tmp_path / "out", str(tmp_path / "records"))

    assert folder.path("a.record") == str(tmp_path / "records" / "a.record")
    assert folder.path("/b/a.record") == "/b/a.record"
    own = open_folder(tmp_path / "out")
    assert own.data == tmp_path / "out" / "work" / "data"


@pytest.mark.parametrize("missing", ["train_records", "eval_records"])
def test_missing_records_are_named_with_what_makes_them(tmp_path, missing):
    folder = open_folder(tmp_path / "out", str(tmp_path))
    birds = task("birds")
    for name in ("train_records", "eval_records", "label_map"):
        if name != missing:
            (tmp_path / getattr(birds, name)).touch()

    with pytest.raises(FolderError, match="birds .* Convert it.") as raised:
        require_records(folder, birds, hint="Convert it.")
    assert folder.path(getattr(birds, missing)) in str(raised.value)


def test_work_of_the_same_settings_stays_and_of_others_goes(tmp_path):
    work = tmp_path / "runs" / "a"
    empty_unless(work, "these settings")
    (work / "ckpt-1").touch()
    empty_unless(work, "these settings")
    assert (work / "ckpt-1").exists()
    empty_unless(work, "other settings")
    assert not (work / "ckpt-1").exists()


def test_work_that_nobody_vouches_for_goes(tmp_path):
    work = tmp_path / "a"
    work.mkdir()
    (work / "ckpt-1").touch()
    empty_unless(work, "these settings")
    assert not (work / "ckpt-1").exists()
