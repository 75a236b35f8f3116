"""Compiles the applier of native/: a tool, and a library to look into."""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import hashlib
import pathlib
import shutil
import subprocess
import tempfile
import time

_ROOT = pathlib.Path(__file__).parents[3]
NATIVE = _ROOT / "object_detection_patch" / "tflite" / "native"

OPTIONS = (
    *("-std=c++17", "-O2", "-fPIC", "-ffp-contract=off"),
    *("-Wall", "-Wextra", "-Werror", f"-I{NATIVE}"),
)
TOOL, LIBRARY = "od_patch_apply", "libod_patch.so"
_PROGRAMS = ("od_patch_apply.cc", "internals_for_tests.cc")
_DAY = 24 * 3600


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


def build(
    folder: pathlib.Path,
    compiler: str = "g++",
    *options: str,
    rest: pathlib.Path | None = None,
) -> Built:
    """Compiles with the options of CMakeLists.txt, and some more.

    Args:
      rest: folder of another build, whose objects are taken for all sources
        that compute nothing in floats.
    """

    def compiled(source: pathlib.Path) -> pathlib.Path:
        if rest is not None and "float" not in source.read_text("utf-8"):
            return rest / f"{source.stem}.o"
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


def cached(
    folder: pathlib.Path,
    compiler: str = "g++",
    *options: str,
    rest: pathlib.Path | None = None,
) -> Built:
    """What the folder holds of this state of the sources, or a new build."""
    ready = folder / _state(compiler, *options)
    if not ready.is_dir():
        _remove_old(folder)
        fresh = pathlib.Path(tempfile.mkdtemp(dir=folder))
        build(fresh, compiler, *options, rest=rest)
        # Another session may have been faster; theirs is as good.
        with contextlib.suppress(OSError):
            fresh.rename(ready)
    return Built(ready / TOOL, ready / LIBRARY)


def _state(compiler: str, *options: str) -> str:
    """Changes with the sources, the options and the compiler."""
    digest = hashlib.sha256(repr(OPTIONS + options).encode())
    digest.update(subprocess.check_output([compiler, "--version"]))
    for pattern in ("*.cc", "include/*.h", "*.h", "fuzz/*.cc"):
        for path in sorted(NATIVE.glob(pattern)):
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _remove_old(folder: pathlib.Path) -> None:
    """Removes builds that no session uses any more."""
    for path in folder.iterdir():
        if time.time() - path.stat().st_mtime > _DAY:
            shutil.rmtree(path, ignore_errors=True)
