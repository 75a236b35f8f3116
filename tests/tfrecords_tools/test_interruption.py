"""Conversions that are killed, interrupted or run out of disk."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

_SCRIPT = """
import resource, sys
sys.path.insert(0, sys.argv[1])
import toy_converter
from tfrecords_tools import __main__ as command_line
from tfrecords_tools.commands import convert
from tfrecords_tools import converters
table = {"toy": toy_converter.ToyConverter}
convert.converters = lambda: table
limit = int(sys.argv[2])
if limit:
    # Files that may not grow act like a disk that is full.
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
if __name__ == "__main__":
    sys.exit(command_line.main(["convert", "toy", *sys.argv[3:]]))
"""
_IMAGES = 6000
_SHARDS = 12
_ATTEMPTS = 3


@pytest.fixture(scope="module")
def many_toys(toys, tmp_path_factory):
    """Thousands of images, all alike: it is their number that counts."""
    root = tmp_path_factory.mktemp("many") / "toys"
    names = [f"{index}.jpg" for index in range(_IMAGES)]
    toys.write_toys(root, names=names[:1], side=64)
    encoded = (root / "images" / names[0]).read_bytes()
    for name in names[1:]:
        (root / "images" / name).write_bytes(encoded)
    (root / "train.txt").write_text("".join(f"{name}\n" for name in names))
    return root


def start(tmp_path, data_dir, output_dir, *, largest_file=0):
    script = tmp_path / "convert_toys.py"
    script.write_text(_SCRIPT)
    return subprocess.Popen(
        [
            sys.executable,
            str(script),
            str(Path(__file__).parent),
            str(largest_file),
            *("--data_dir", str(data_dir), "--output_dir", str(output_dir)),
            *("--split", "train", "--allow_count_mismatch"),
            *("--num_shards", str(_SHARDS), "--jobs", "2"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for_first_shard(output_dir, process):
    deadline = time.monotonic() + 60
    work = output_dir / ".toy_train.partial"
    while not list(work.glob("counts-*")):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return work


def members(process_group):
    """Processes of the group that are still there."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[2]) == process_group and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def wait_until_gone(process_group):
    deadline = time.monotonic() + 10
    while members(process_group):
        assert time.monotonic() < deadline, members(process_group)
        time.sleep(0.05)


def contents(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}


@pytest.fixture(scope="module")
def uninterrupted(many_toys, tmp_path_factory):
    folder = tmp_path_factory.mktemp("uninterrupted")
    process = start(folder, many_toys, folder / "out")
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return contents(folder / "out")


def stopped(tmp_path, data_dir, sent):
    """The work directory of a run that a signal ended."""
    output_dir = tmp_path / "out"
    for _ in range(_ATTEMPTS):
        process = start(tmp_path, data_dir, output_dir)
        work = wait_for_first_shard(output_dir, process)
        os.kill(process.pid, sent)
        _, errors = process.communicate(timeout=30)
        if process.returncode:
            break
        # A busy machine let it finish before it looked at its watcher.
        shutil.rmtree(output_dir)
    assert process.returncode == (130 if sent == signal.SIGINT else -sent)
    assert "Traceback" not in errors
    wait_until_gone(process.pid)
    return work


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_run_shows_nothing_and_the_next_one_goes_on(
    many_toys, uninterrupted, tmp_path, sent
):
    work = stopped(tmp_path, many_toys, sent)
    assert not contents(tmp_path / "out")
    done = {p.name: p.stat().st_ino for p in work.glob("counts-*")}
    kept = {name.replace("counts", "shard")[:11] for name in done}
    assert 0 < len(done) < _SHARDS
    before = {name: (work / name).stat().st_ino for name in kept}

    process = start(tmp_path, many_toys, tmp_path / "out")
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert contents(tmp_path / "out") == uninterrupted
    for name, inode in before.items():
        final = f"toy_train.record-{name[-5:]}-of-{_SHARDS:05d}"
        assert (tmp_path / "out" / final).stat().st_ino == inode


def test_a_full_disk_is_one_line_and_leaves_nothing_that_looks_finished(
    many_toys, uninterrupted, tmp_path
):
    process = start(tmp_path, many_toys, tmp_path / "out", largest_file=200_000)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "File too large" in errors
    assert "Traceback" not in errors
    assert not contents(tmp_path / "out")
    work = tmp_path / "out" / ".toy_train.partial"
    assert not list(work.glob("shard-*"))

    process = start(tmp_path, many_toys, tmp_path / "out")
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert contents(tmp_path / "out") == uninterrupted


def test_a_killed_worker_is_one_line_and_stops_the_run(many_toys, tmp_path):
    process = start(tmp_path, many_toys, tmp_path / "out")
    wait_for_first_shard(tmp_path / "out", process)
    workers = [pid for pid in members(process.pid) if pid != process.pid]
    for pid in workers:
        if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGKILL)
            break
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "perhaps for want of memory" in errors
    assert "Traceback" not in errors
    wait_until_gone(process.pid)


def test_a_killed_synthesis_leaves_no_process(tmp_path):
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "tfrecords_tools", "synthesize", "voc"),
            *("--output_dir", str(tmp_path), "--images", "3000"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 30
    while len(members(process.pid)) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    process.wait(timeout=30)
    wait_until_gone(process.pid)
    assert not (tmp_path / "voc").exists()
