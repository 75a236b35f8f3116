"""Applies patches in one warm Python process: a line in, a line out.

    apply BASE SIDECAR PATCH OUTPUT trust|check   seconds
    hdiffpatch OLD DELTA OUTPUT                   seconds
    peak                                          peak bytes so far

Fields are parted by tabs. An argument of the program is a folder to import
from as well.
"""

from __future__ import annotations

import pathlib
import re
import sys
import time

from object_detection_patch import tflite
from object_detection_patch.patch_file.whole_file import write_whole


def main() -> None:
    sys.path += sys.argv[1:]
    for line in sys.stdin:
        print(_answer(*line.rstrip("\n").split("\t")), flush=True)


def _answer(what: str, *fields: str) -> float | int:
    if what == "peak":
        return peak_bytes()
    started = time.perf_counter()
    if what == "apply":
        _apply(*fields)
    else:
        _hdiffpatch(*fields)
    return time.perf_counter() - started


def _apply(base: str, sidecar: str, patch: str, output: str, how: str) -> None:
    tflite.apply(
        base, patch, output, sidecar=sidecar, trust_base=how == "trust"
    )


def _hdiffpatch(old: str, delta: str, output: str) -> None:
    import hdiffpatch

    inputs = (pathlib.Path(path).read_bytes() for path in (old, delta))
    write_whole(output, hdiffpatch.apply(*inputs))


def peak_bytes() -> int:
    """The most that this process ever held; Linux."""
    status = pathlib.Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    if found is None:
        raise OSError("/proc/self/status must have a line VmHWM (Linux).")
    return 1024 * int(found[1])


if __name__ == "__main__":
    main()
