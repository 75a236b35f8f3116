"""Times by phase, memory, and where a process runs."""

from __future__ import annotations

import datetime
import importlib.metadata
import subprocess
import sys
import time

import pytest

import object_detection_patch
from object_detection_patch.decathlon.running import phases


def test_time_is_added_up_by_phase_also_when_it_fails():
    taken = phases.Phases()
    for _ in range(2):
        with taken.phase("train"):
            time.sleep(0.1)
    with pytest.raises(ZeroDivisionError), taken.phase("evaluate"):
        time.sleep(0.05)
        raise ZeroDivisionError

    assert set(taken.seconds) == {"train", "evaluate"}
    assert 0.2 <= taken.seconds["train"] < 10
    assert 0.05 <= taken.seconds["evaluate"] < 10


def test_a_part_of_what_is_shared_is_an_even_one():
    whole = phases.Phases()
    whole.seconds = {"start": 3.0, "train": 90.0}
    part = whole.part(3)
    with part.phase("evaluate"):
        pass

    assert part.started == whole.started
    assert (part.seconds["start"], part.seconds["train"]) == (1.0, 30.0)
    assert whole.seconds == {"start": 3.0, "train": 90.0}


def test_the_start_is_utc():
    started = datetime.datetime.fromisoformat(phases.Phases().started)
    now = datetime.datetime.now(datetime.timezone.utc)

    assert started.utcoffset() == datetime.timedelta(0)
    assert abs((now - started).total_seconds()) < 60


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_peak_memory_is_in_bytes():
    # 80 MiB, touched and given back, below 400 that the parent holds and that
    # are none of the child's.
    held = bytearray(b"x") * (400 * 2**20)
    code = (
        "import resource\n"
        "from object_detection_patch.decathlon.running import phases\n"
        "before = phases.peak_bytes()\n"
        "bytearray(b'x') * (80 * 2**20)\n"
        "page, now = resource.getpagesize(), open('/proc/self/statm').read()\n"
        "print(before, phases.peak_bytes(), int(now.split()[1]) * page)\n"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    before, peak, now = map(int, printed.split())
    del held

    assert 75 * 2**20 < peak - before < 90 * 2**20
    assert 75 * 2**20 < peak - now < 90 * 2**20


def test_the_environment_says_what_is_installed():
    found = phases.environment()

    assert found.python == sys.version.split()[0]
    assert found.tensorflow == importlib.metadata.version("tensorflow")
    assert found.package == object_detection_patch.__version__
    assert found.cores >= 1
    assert found.processor


def test_a_tensorflow_of_another_name_fails_no_run(monkeypatch):
    def version(name):
        if name != "tensorflow-tpu":
            raise importlib.metadata.PackageNotFoundError(name)
        return "2.20.1"

    monkeypatch.setattr(importlib.metadata, "version", version)
    assert phases.environment().tensorflow == "2.20.1"

    def none(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", none)
    assert phases.environment().tensorflow == "unknown"
