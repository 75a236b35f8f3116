"""The command line tool: messages, exit status, files."""

import dataclasses
import hashlib
import os
import pathlib
import time

import applied
import pytest
import worlds

_GOLDEN = pathlib.Path(__file__).parents[2] / "patch_file" / "golden"


@pytest.fixture(scope="module")
def case():
    return applied.make_case(1, worlds.INT8)


def _refused(found, status):
    assert found.returncode == 2
    assert found.stdout == ""
    assert found.stderr.startswith(f"od_patch_apply: {status}: ")
    assert found.stderr.count("\n") == 1


def _only_inputs(folder):
    return sorted(os.listdir(folder)) == ["base", "patch", "sidecar"]


def test_help(native):
    found = native.run("--help")
    assert found.returncode == 0
    assert "--trust_base" in found.stdout


@pytest.mark.parametrize(
    "arguments", [[], ["--base", "b"], ["--output"], ["--x=1"], ["file"]]
)
def test_wrong_arguments(native, arguments):
    found = native.run(*arguments)
    assert found.returncode == 2
    assert found.stderr.startswith("od_patch_apply: ")


def test_inspect(native):
    found = native.run("--inspect", _GOLDEN / "v1_every_edit.patch")
    assert found.returncode == 0
    assert found.stdout.splitlines() == [
        "method       EVERY_EDIT",
        f"base         {'c0ffee00' * 8}",
        "bytes        428",
        "signed       no",
        "classes      2",
        "     1  Cat",
        "     2  \u96cc\u72ac",
    ]


def test_inspect_of_no_patch(native, tmp_path):
    (tmp_path / "x").write_bytes(b"x" * 100)
    _refused(native.run("--inspect", tmp_path / "x"), "magic")


def test_inspect_lists_labels_whatever_their_ids(native, tmp_path):
    patch = worlds.PatchSource([], [(2**31 - 1, "far", "")], [], version=1)
    (tmp_path / "x").write_bytes(patch.to_bytes())
    found = native.run("--inspect", tmp_path / "x")
    assert found.stdout.splitlines()[-1] == "2147483647  far"


def test_replaces_an_older_output(native, tmp_path, case):
    arguments = applied.write(tmp_path, case)
    (tmp_path / "model").write_bytes(b"older")
    assert native.run(*arguments).returncode == 0
    assert (tmp_path / "model").read_bytes() == case.model


def test_leaves_nothing_else(native, tmp_path, case):
    native.run(*applied.write(tmp_path, case))
    assert sorted(os.listdir(tmp_path)) == ["base", "model", "patch", "sidecar"]


@pytest.mark.parametrize("seconds", [3500, 3700])
def test_removes_what_a_killed_run_left_an_hour_ago(
    native, tmp_path, case, seconds
):
    name = hashlib.sha256(b"model").hexdigest()[:16]
    left = tmp_path / f".od-patch-{name}-0123456789abcdef.partial"
    others = tmp_path / f".od-patch-{'0' * 16}-0123456789abcdef.partial"
    then = time.time() - seconds
    for path in (left, others):
        path.write_bytes(b"half a model")
        os.utime(path, (then, then))
    assert native.run(*applied.write(tmp_path, case)).returncode == 0
    assert left.exists() == (seconds < 3600)
    assert others.exists()


def test_follows_a_link(native, tmp_path, case):
    arguments = applied.write(tmp_path, case)
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "target").write_bytes(b"older")
    (tmp_path / "model").symlink_to("far/target")
    assert native.run(*arguments).returncode == 0
    assert (tmp_path / "model").is_symlink()
    assert (tmp_path / "far" / "target").read_bytes() == case.model


def test_another_base(native, tmp_path, case):
    changed = bytearray(case.base)
    changed[-1] ^= 1
    other = dataclasses.replace(case, base=bytes(changed))
    found = native.run(*applied.write(tmp_path, other))
    _refused(found, "base_mismatch")
    assert _only_inputs(tmp_path)


def test_another_length_of_the_base_even_if_trusted(native, tmp_path, case):
    other = dataclasses.replace(case, base=case.base + b"x")
    arguments = applied.write(tmp_path, other)
    _refused(native.run(*arguments, "--trust_base"), "base_mismatch")


def test_a_trusted_base_is_not_hashed(native, tmp_path, case):
    changed = bytearray(case.base)
    changed[-1] ^= 1  # in the archive, which the result does not keep
    other = dataclasses.replace(case, base=bytes(changed))
    arguments = applied.write(tmp_path, other)
    assert native.run(*arguments, "--trust_base").returncode == 0
    assert (tmp_path / "model").read_bytes() == case.model


def test_another_result(native, tmp_path):
    world = worlds.make_world(1, worlds.INT8)
    patch = worlds.make_patch(world, 1)
    case = applied.Case(world.base(), world.sidecar(), patch.to_bytes(), b"")
    arguments = applied.write(tmp_path, case)
    _refused(native.run(*arguments), "result_mismatch")
    assert _only_inputs(tmp_path)
    assert native.run(*arguments, "--no_result_check").returncode == 0


@pytest.mark.parametrize("name", ["base", "sidecar", "patch"])
def test_an_output_that_is_an_input(native, tmp_path, case, name):
    arguments = applied.write(tmp_path, case)
    (tmp_path / "linked").symlink_to(name)
    for output in (name, f"./{name}", "linked"):
        arguments[-1] = str(tmp_path / output)
        _refused(native.run(*arguments), "output")
    assert (tmp_path / name).read_bytes() == getattr(case, name)


def test_an_output_that_is_a_folder(native, tmp_path, case):
    arguments = applied.write(tmp_path, case)
    (tmp_path / "model").mkdir()
    _refused(native.run(*arguments), "output")


def test_an_output_without_a_folder(native, tmp_path, case):
    arguments = applied.write(tmp_path, case)
    arguments[-1] = str(tmp_path / "none" / "model")
    _refused(native.run(*arguments), "io")
    assert _only_inputs(tmp_path)


@pytest.mark.parametrize("name", ["base", "sidecar", "patch"])
def test_an_input_that_is_not_there(native, tmp_path, case, name):
    arguments = applied.write(tmp_path, case)
    (tmp_path / name).unlink()
    _refused(native.run(*arguments), "io")


def test_a_full_disk_leaves_the_older_file(native, tmp_path, case):
    arguments = applied.write(tmp_path, case)
    (tmp_path / "model").write_bytes(b"older")
    limited = dataclasses.replace(native, tool=pathlib.Path("/bin/sh"))
    script = f"trap '' XFSZ; ulimit -f 1; exec {native.tool} \"$@\""
    found = limited.run("-c", script, "sh", *arguments)
    _refused(found, "io")
    assert (tmp_path / "model").read_bytes() == b"older"
    assert len(os.listdir(tmp_path)) == 4
