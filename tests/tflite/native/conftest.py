"""Builds the applier of native/ once: a tool, and a library to look into."""

from __future__ import annotations

import concurrent.futures
import ctypes
import dataclasses
import hashlib
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest

_ROOT = pathlib.Path(__file__).parents[3]
NATIVE = _ROOT / "object_detection_patch" / "tflite" / "native"
sys.path.insert(0, str(pathlib.Path(__file__).parent))

_OPTIONS = (
    *("-std=c++17", "-O2", "-fPIC", "-ffp-contract=off"),
    *("-Wall", "-Wextra", "-Werror", f"-I{NATIVE}"),
)
_TOOL, _LIBRARY = "od_patch_apply", "libod_patch.so"
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
        command = [compiler, *_OPTIONS, *options, "-c", source, "-o", target]
        subprocess.run(command, check=True)
        return target

    sources = sorted(NATIVE.glob("*.cc"))
    # Two compilers at a time: it is they that work, not this process.
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        objects = dict(zip(sources, pool.map(compiled, sources), strict=True))
    shared = [o for s, o in objects.items() if s.name not in _PROGRAMS]
    built = Built(folder / _TOOL, folder / _LIBRARY)
    ends = {
        built.tool: [objects[NATIVE / _PROGRAMS[0]]],
        built.library: [objects[NATIVE / _PROGRAMS[1]], "-shared"],
    }
    for target, end in ends.items():
        command = [compiler, *options, *shared, *end, "-o", target]
        subprocess.run([*command, "-lz", "-lpthread"], check=True)
    return built


def _state() -> str:
    """Changes with the sources and with the compiler."""
    digest = hashlib.sha256(repr(_OPTIONS).encode())
    digest.update(subprocess.check_output(["g++", "--version"]))
    for path in sorted(NATIVE.rglob("*.*")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


@pytest.fixture(scope="session")
def native(request: pytest.FixtureRequest) -> Built:
    """What pytest's cache holds of this state of the sources, or a new one."""
    if shutil.which("g++") is None:
        pytest.skip("no g++")
    cache = request.config.cache
    assert cache is not None
    folder = pathlib.Path(cache.mkdir("od_patch_native"))
    ready = folder / _state()
    if not ready.is_dir():
        for older in folder.iterdir():
            shutil.rmtree(older)
        with tempfile.TemporaryDirectory(dir=folder) as fresh:
            build(pathlib.Path(fresh))
            shutil.copytree(fresh, ready)
    return Built(ready / _TOOL, ready / _LIBRARY)


@pytest.fixture(scope="session")
def library(native: Built) -> ctypes.CDLL:
    return ctypes.CDLL(str(native.library))
