"""Every build gives the same bytes: compilers, levels, other processors.

And CMake builds alone as it does within another project.
"""

import json
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
# Those whose arithmetic differs most, in the default suite.
_QUICK_BUILDS = {
    "g++ -O3 -march=native": ("g++", "-O3", "-march=native"),
    "clang -O2": ("clang++", "-O2"),
}
_BUILDS = {
    "g++ -O0": ("g++", "-O0"),
    "g++ sanitized": ("g++", *_SANITIZED),
    "clang -O3 -march=native": ("clang++", "-O3", "-march=native"),
    "clang sanitized": ("clang++", *_SANITIZED),
    "aarch64 -O2": (*_AARCH64, "-O2"),
    "aarch64 -O3 armv8.2": (
        *(*_AARCH64, "-O3"),
        "-march=armv8.2-a+fp16+crypto",
    ),
}
_SEEDS = range(200, 224)
# The cases of test_apply.py.
_ALL_SEEDS = (*range(20), *range(100, 120))
_WIDE_SEEDS = range(8)
_PRECISIONS = range(3)
_PRODUCT = """
cmake_minimum_required(VERSION 3.16)
project(product LANGUAGES CXX)
add_subdirectory({native} od_patch)
"""


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


def _check(built: native_build.Built, folder: pathlib.Path, case) -> None:
    found = built.run(*applied.write(folder, case))
    assert (found.returncode, found.stderr) == (0, "")
    assert (folder / "model").read_bytes() == case.model


@pytest.fixture(scope="module")
def cases() -> list[applied.Case]:
    return [
        applied.make_case(seed, precision, width=width)
        for seeds, width in ((_ALL_SEEDS, 1), (_WIDE_SEEDS, 60))
        for seed in seeds
        for precision in _PRECISIONS
    ]


@pytest.mark.parametrize("name", _QUICK_BUILDS)
def test_gives_the_same_bytes_of_every_case(
    tmp_path, builds, native, cases, name
):
    compiler, *options = _QUICK_BUILDS[name]
    built = native_build.cached(
        builds, _found(compiler), *options, rest=native.tool.parent
    )
    for case in cases:
        _check(built, tmp_path, case)


@pytest.mark.slow
@pytest.mark.parametrize("name", _BUILDS)
def test_gives_the_same_bytes(tmp_path, name):
    built = _built(name, tmp_path)
    for seed in _SEEDS:
        width = 60 if seed % 4 == 0 else 1
        case = applied.make_case(seed, seed % 3, width=width)
        _check(built, tmp_path, case)


@pytest.mark.parametrize("is_alone", [True, False])
def test_warnings_are_errors_only_of_ours(tmp_path, is_alone):
    if not shutil.which("cmake"):
        pytest.skip("no cmake")
    source = native_build.NATIVE
    if not is_alone:
        source = tmp_path / "product"
        source.mkdir()
        text = _PRODUCT.format(native=native_build.NATIVE)
        (source / "CMakeLists.txt").write_text(text)
    build = tmp_path / "build"
    command = ["cmake", "-S", source, "-B", build]
    subprocess.run(
        [*command, "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON"],
        check=True,
        capture_output=True,
    )
    commands = json.loads((build / "compile_commands.json").read_text())
    assert len(commands) > 20
    for entry in commands:
        options = entry["command"].split()
        assert ("-Werror" in options) == is_alone
        # The bytes of results depend on this one.
        assert "-ffp-contract=off" in options
