"""Seconds by phase, and what the process and the machine are."""

from __future__ import annotations

import contextlib
import datetime
import importlib.metadata
import os
import pathlib
import platform
import re
import resource
import sys
import time
from collections.abc import Iterator

import object_detection_patch
from object_detection_patch.decathlon.running.record import Environment


class Phases:
    """Wall time of a process's phases, from its start."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.started = _now()

    def part(self, of: int) -> Phases:
        """For one of so many that share what was done: an even part each."""
        part = Phases()
        part.started = self.started
        part.seconds = {
            name: round(spent / of, 2) for name, spent in self.seconds.items()
        }
        return part

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Adds the time within to `seconds[name]`, an error's too."""
        begun = time.monotonic()
        try:
            yield
        finally:
            spent = time.monotonic() - begun
            self.seconds[name] = round(self.seconds.get(name, 0) + spent, 2)


def peak_bytes() -> int:
    """Largest resident memory of this process so far."""
    status = pathlib.Path("/proc/self/status")
    if status.exists():
        # `ru_maxrss` would be its parent's, if that was larger.
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        if found:
            return 1024 * int(found[1])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Kilobytes on Linux, bytes on macOS.
    return peak if sys.platform == "darwin" else 1024 * peak


def environment() -> Environment:
    """Where this process runs."""
    return Environment(
        python=platform.python_version(),
        tensorflow=_tensorflow(),
        processor=_processor(),
        cores=os.cpu_count() or 1,
        # Bazel runs it without installing it.
        package=object_detection_patch.__version__,
    )


def _tensorflow() -> str:
    """Its version; read late, it must not fail a run of days."""
    for name in ("tensorflow", "tensorflow-cpu", "tensorflow-tpu"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            return importlib.metadata.version(name)
    return "unknown"


def _processor() -> str:
    info = pathlib.Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _now() -> str:
    now = datetime.datetime.now(datetime.timezone.utc)
    return now.isoformat(timespec="seconds")
