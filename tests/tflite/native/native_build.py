"""Compiles the applier of native/: a tool, and a library to look into."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import pathlib
import subprocess

_ROOT = pathlib.Path(__file__).parents[3]
NATIVE = _ROOT / "object_detection_patch" / "tflite" / "native"

OPTIONS = (
    *("-std=c++17", "-O2", "-fPIC", "-ffp-contract=off"),
    *("-Wall", "-Wextra", "-Werror", f"-I{NATIVE}"),
)
TOOL, LIBRARY = "od_patch_apply", "libod_patch.so"
_PROGRAMS = ("od_patch_apply.cc", "internals_for_tests.cc")


@dataclasses.dataclass(frozen=True)
class Built:
    """The tool, and everything as one shared library."""

    tool: pathlib.Path
    library: pathlib.Path

    def run(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.tool, *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=60,
        )


def build(folder: pathlib.Path, compiler: str = "g++", *options: str) -> Built:
    """Compiles with the options of CMakeLists.txt, and some more."""

    def compiled(source: pathlib.Path) -> pathlib.Path:
        target = folder / f"{source.stem}.o"
        command = [compiler, *OPTIONS, *options, "-c", source, "-o", target]
        subprocess.run(command, check=True)
        return target

    sources = sorted(NATIVE.glob("*.cc"))
    # Two compilers at a time: it is they that work, not this process.
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        objects = dict(zip(sources, pool.map(compiled, sources), strict=True))
    shared = [o for s, o in objects.items() if s.name not in _PROGRAMS]
    built = Built(folder / TOOL, folder / LIBRARY)
    ends = {
        built.tool: [objects[NATIVE / _PROGRAMS[0]]],
        built.library: [objects[NATIVE / _PROGRAMS[1]], "-shared"],
    }
    for target, end in ends.items():
        command = [compiler, *options, *shared, *end, "-o", target]
        subprocess.run([*command, "-lz", "-lpthread"], check=True)
    return built
