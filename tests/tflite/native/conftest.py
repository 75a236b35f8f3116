"""Builds the applier of native/ once: a tool, and a library to look into."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from native_build import (  # noqa: E402
    LIBRARY,
    NATIVE,
    OPTIONS,
    TOOL,
    Built,
    build,
)

_DAY = 24 * 3600


def _state() -> str:
    """Changes with the sources and with the compiler."""
    digest = hashlib.sha256(repr(OPTIONS).encode())
    digest.update(subprocess.check_output(["g++", "--version"]))
    for path in sorted(NATIVE.rglob("*.*")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _can_build() -> bool:
    if shutil.which("g++") is None:
        return False
    looked = subprocess.run(
        ["g++", "-E", "-x", "c++", "-"],
        input=b"#include <zlib.h>",
        capture_output=True,
    )
    return looked.returncode == 0


def _remove_old(folder: pathlib.Path) -> None:
    """Removes builds that no session uses any more."""
    for path in folder.iterdir():
        if time.time() - path.stat().st_mtime > _DAY:
            shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def native(request: pytest.FixtureRequest) -> Built:
    """What pytest's cache holds of this state of the sources, or a new one."""
    if not _can_build():
        pytest.skip("no g++ with zlib.h (Debian: g++, zlib1g-dev)")
    cache = request.config.cache
    assert cache is not None
    folder = pathlib.Path(cache.mkdir("od_patch_native"))
    ready = folder / _state()
    if not ready.is_dir():
        _remove_old(folder)
        fresh = pathlib.Path(tempfile.mkdtemp(dir=folder))
        build(fresh)
        # Another session may have been faster; theirs is as good.
        with contextlib.suppress(OSError):
            fresh.rename(ready)
    return Built(ready / TOOL, ready / LIBRARY)


@pytest.fixture(scope="session")
def library(native: Built) -> ctypes.CDLL:
    return ctypes.CDLL(str(native.library))
