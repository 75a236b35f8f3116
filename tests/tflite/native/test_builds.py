"""Every build gives the same bytes: compilers, levels, other processors."""

import pathlib
import shutil
import subprocess

import applied
import native_build
import pytest

_SANITIZED = (
    *("-O1", "-g", "-fsanitize=address,undefined"),
    "-fno-sanitize-recover=undefined",
)
# The foreign architecture has libc and zlib, and often nothing else.
_AARCH64 = ("aarch64-linux-gnu-g++", "-static-libstdc++", "-static-libgcc")
_BUILDS = {
    "g++ -O0": ("g++", "-O0"),
    "g++ -O3 -march=native": ("g++", "-O3", "-march=native"),
    "g++ sanitized": ("g++", *_SANITIZED),
    "clang -O2": ("clang++", "-O2"),
    "clang -O3 -march=native": ("clang++", "-O3", "-march=native"),
    "clang sanitized": ("clang++", *_SANITIZED),
    "aarch64 -O2": (*_AARCH64, "-O2"),
    "aarch64 -O3 armv8.2": (
        *(*_AARCH64, "-O3"),
        "-march=armv8.2-a+fp16+crypto",
    ),
}
_SEEDS = range(200, 224)


def _found(compiler: str) -> str:
    """The compiler, by a name that Debian gives it where need be."""
    for name in (compiler, f"{compiler}-14"):
        if shutil.which(name):
            return name
    pytest.skip(f"no {compiler}")


def _built(name: str, folder: pathlib.Path) -> native_build.Built:
    compiler, *options = _BUILDS[name]
    compiler = _found(compiler)
    if not name.startswith("aarch64"):
        return native_build.build(folder, compiler, *options)
    if not shutil.which("qemu-aarch64"):
        pytest.skip("no qemu-aarch64")
    try:
        built = native_build.build(folder, compiler, *options)
    except subprocess.CalledProcessError:
        pytest.skip("no zlib for aarch64")
    # The libraries are those of Debian's foreign architecture arm64.
    script = folder / "emulated"
    script.write_text(f'#!/bin/sh\nexec qemu-aarch64 {built.tool} "$@"\n')
    script.chmod(0o755)
    return native_build.Built(script, built.library)


@pytest.mark.slow
@pytest.mark.parametrize("name", _BUILDS)
def test_gives_the_same_bytes(tmp_path, name):
    built = _built(name, tmp_path)
    for seed in _SEEDS:
        case = applied.make_case(seed, seed % 3)
        arguments = applied.write(tmp_path, case)
        found = built.run(*arguments)
        assert (found.returncode, found.stderr) == (0, ""), seed
        assert (tmp_path / "model").read_bytes() == case.model, seed
