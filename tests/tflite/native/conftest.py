"""Builds the applier of native/ once: a tool, and a library to look into."""

from __future__ import annotations

import ctypes
import pathlib
import shutil
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import native_build  # noqa: E402


def _can_build() -> bool:
    if shutil.which("g++") is None:
        return False
    looked = subprocess.run(
        ["g++", "-E", "-x", "c++", "-"],
        input=b"#include <zlib.h>",
        capture_output=True,
    )
    return looked.returncode == 0


@pytest.fixture(scope="session")
def builds(request: pytest.FixtureRequest) -> pathlib.Path:
    """The folder of pytest's cache that keeps builds between sessions."""
    if not _can_build():
        pytest.skip("no g++ with zlib.h (Debian: g++, zlib1g-dev)")
    cache = request.config.cache
    assert cache is not None
    return pathlib.Path(cache.mkdir("od_patch_native"))


@pytest.fixture(scope="session")
def native(builds: pathlib.Path) -> native_build.Built:
    return native_build.cached(builds)


@pytest.fixture(scope="session")
def library(native: native_build.Built) -> ctypes.CDLL:
    return ctypes.CDLL(str(native.library))
