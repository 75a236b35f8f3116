"""The fixed corpus of tests/fuzz through both implementations.

`make fuzz` starts from it, with sanitizers and for hours; here each input
runs once, and both must say the same.
"""

from __future__ import annotations

import hashlib
import pathlib
import shutil
import subprocess
import sys

import native_build
import outcomes
import pytest

from object_detection_patch.tflite import sidecar_file

sys.path.insert(0, str(pathlib.Path(__file__).parents[2]))
from fuzz import frame, fuzzers, targets, world  # noqa: E402

_INPUTS = sorted(path for path in world.CORPUS.glob("*/*") if path.is_file())
_MOST_BYTES = 300_000
_FEWEST_INPUTS = 20


def _files(target: str, data: bytes) -> targets.Files:
    """Three files to apply: what a target reads, and two that are sound."""
    if target == "apply":
        return targets.files_of_apply(data)
    if target == "apply_sidecar":
        return targets.files_of_apply_sidecar(data)
    sound = world.world_of(0)
    if target == "patch":
        patch = frame.patch_of_input(data)
        return targets.Files(sound.base, sound.sidecar, patch)
    sidecar = frame.sidecar_of_input(data)
    return targets.Files(sound.base, sidecar, sound.patch)


@pytest.mark.parametrize("target", fuzzers.TARGETS)
def test_python_and_cpp_say_the_same_of_the_corpus(target, library):
    in_cpp = outcomes.InCpp(library)
    for path in _INPUTS:
        if path.parent.name != target:
            continue
        files = _files(target, path.read_bytes())
        three = files.base, files.sidecar, files.patch
        expected = outcomes.in_python(*three, trust_base=files.trust_base)
        found = in_cpp(*three, trust_base=files.trust_base)
        assert found.status == expected.status, path
        assert found.model == expected.model, path


@pytest.mark.parametrize("target", targets.TARGETS)
def test_python_targets_run_the_corpus(target):
    inputs = [path for path in _INPUTS if path.parent.name == target]
    assert len(inputs) > _FEWEST_INPUTS
    for path in inputs:
        targets.TARGETS[target](path.read_bytes())


def test_corpus_is_small():
    assert {path.parent.name for path in _INPUTS} == set(targets.TARGETS)
    assert sum(path.stat().st_size for path in _INPUTS) < _MOST_BYTES


@pytest.mark.parametrize("number", range(world.PRECISIONS))
def test_worlds_of_the_seeds_are_sound(number, library):
    made = world.world_of(number)
    sidecar = sidecar_file.from_bytes(made.sidecar)
    assert hashlib.sha256(made.base).hexdigest() == sidecar.base_sha256
    three = made.base, made.sidecar, made.patch
    expected = outcomes.in_python(*three)
    # The release of the int8 seed states no result that anybody knows.
    int8 = sidecar.precision == "int8"
    assert expected.status == ("result_mismatch" if int8 else "ok")
    assert outcomes.InCpp(library)(*three).model == expected.model


@pytest.mark.slow
def test_corpus_under_sanitizers(tmp_path):
    """The C++ targets themselves, without clang: g++ has both sanitizers."""
    if shutil.which("g++") is None:
        pytest.skip("no g++")
    sanitizers = ("-g", "-fsanitize=address,undefined")
    options = (*sanitizers, "-fno-sanitize-recover=undefined")
    built = native_build.build(tmp_path, "g++", *options)
    folder = native_build.NATIVE / "fuzz"
    for target in fuzzers.TARGETS:
        names = (f"fuzz_{target}.cc", "frame.cc", "world.cc", "run_corpus.cc")
        program = tmp_path / f"fuzz_{target}"
        command = ["g++", *native_build.OPTIONS, *options]
        command += [*(folder / name for name in names), built.library]
        subprocess.run([*command, "-o", program], check=True)
        inputs = [path for path in _INPUTS if path.parent.name == target]
        found = subprocess.run(
            [program, *inputs], capture_output=True, text=True
        )
        assert found.returncode == 0, found.stderr
        assert found.stdout == f"{len(inputs)} inputs\n"
