"""The C++ refuses each attempt of attacks/ under the same name as Python."""

from __future__ import annotations

import resource
import subprocess

import pytest
from attacks import write_files
from attacks.attempt import BASE, PATCH, SIDECAR

# Of addresses, so libraries and stacks count: the tool starts within 32 MiB.
_MOST_MEMORY = 2**26


def _limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))


@pytest.mark.parametrize(
    "attempt", write_files.ATTEMPTS, ids=lambda attempt: attempt.path.name
)
def test_tool_refuses_attempt_in_little_memory(native, attempt, tmp_path):
    paths = attempt.paths()
    before = {path: path.read_bytes() for path in paths.values()}
    output = tmp_path / "model.tflite"
    arguments = ["--base", paths[BASE], "--sidecar", paths[SIDECAR]]
    arguments += ["--patch", paths[PATCH], "--output", output]
    found = subprocess.run(
        [native.tool, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=_limit_memory,
    )
    assert {path: path.read_bytes() for path in paths.values()} == before
    if attempt.error is None:
        assert found.returncode == 0, found.stderr
        assert output.is_file()
        return
    assert found.returncode == 2
    assert found.stderr.startswith(f"od_patch_apply: {attempt.status}: ")
    assert found.stderr.rstrip("\n").isprintable()
    assert list(tmp_path.iterdir()) == []
