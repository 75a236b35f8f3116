"""Warm processes that apply patches, taking turns; their times and peaks."""

from __future__ import annotations

import contextlib
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence

_HERE = pathlib.Path(__file__).resolve().parent
_NATIVE = _HERE.parent / "object_detection_patch" / "tflite" / "native"
_FLAGS = ("-O3", "-march=native", "-ffp-contract=off")
# OD_PATCH_TRUST_BASE + OD_PATCH_NO_RESULT_CHECK of native/include/od_patch.h.
UNCHECKED = 3
CHECKED = 0

Timed = Callable[[], float]


class Lines:
    """A process that answers each line with one.

    Raises:
      RuntimeError: if it ends instead; what it said is on stderr.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def ask(self, *fields: object) -> list[float]:
        """Numbers for a line of these fields."""
        print(*fields, sep="\t", file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self._command[0]} ended at {fields}.")
        return [float(number) for number in answer.split("\t")]

    def seconds(self, *fields: object) -> float:
        return self.ask(*fields)[0]


def python(import_folders: Sequence[str]) -> Lines:
    """A warm Python process, see phone_apply.py."""
    program = _HERE / "phone_apply.py"
    return Lines([sys.executable, str(program), *import_folders])


@contextlib.contextmanager
def built() -> Iterator[tuple[pathlib.Path, pathlib.Path]]:
    """phone_native and od_patch_apply, compiled into a temporary folder.

    Raises:
      CalledProcessError: if a compiler fails; its words are on stderr.
    """
    with tempfile.TemporaryDirectory(prefix="phone-") as name:
        folder = pathlib.Path(name)
        flags = f"-DCMAKE_CXX_FLAGS={' '.join(_FLAGS)}"
        configure = ["cmake", "-S", str(_NATIVE), "-B", name, flags]
        compile_ = ["cmake", "--build", name, "--target", "od_patch_apply"]
        for command in (configure, compile_):
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        program = folder / "phone_native"
        subprocess.run(
            [
                *("c++", "-std=c++17", *_FLAGS, f"-I{_NATIVE / 'include'}"),
                str(_HERE / "phone_native.cc"),
                *(f"-L{name}", "-lod_patch", "-lz", "-lpthread"),
                *("-o", str(program)),
            ],
            check=True,
        )
        yield program, folder / "od_patch_apply"


def can_build() -> bool:
    return bool(shutil.which("cmake") and shutil.which("c++"))


def take_turns(
    actions: Mapping[str, Timed], rounds: int
) -> dict[str, list[float]]:
    """Seconds of every action in every round, after one that warms up.

    The order turns around each round, so that nobody always follows the same
    neighbour.
    """
    seconds: dict[str, list[float]] = {name: [] for name in actions}
    for number in range(rounds + 1):
        order = list(actions) if number % 2 else list(actions)[::-1]
        for name in order:
            spent = actions[name]()
            if number:
                seconds[name].append(spent)
    return seconds


def summary(
    seconds: Mapping[str, Sequence[float]], floor: str
) -> dict[str, dict[str, float]]:
    """Median milliseconds, and the median of the ratios within a round."""
    return {
        name: {
            "milliseconds": round(1000 * statistics.median(spent), 2),
            "ratio": round(
                statistics.median(
                    mine / least
                    for mine, least in zip(spent, seconds[floor], strict=True)
                ),
                2,
            ),
        }
        for name, spent in seconds.items()
    }
