"""The C++ refuses each attempt of attacks/ under the same name as Python."""

from __future__ import annotations

import pytest
from attacks import write_files
from attacks.attempt import BASE, PATCH, SIDECAR


@pytest.mark.parametrize(
    "attempt", write_files.ATTEMPTS, ids=lambda attempt: attempt.path.name
)
def test_tool_refuses_attempt(native, attempt, tmp_path):
    paths = attempt.paths()
    output = tmp_path / "model.tflite"
    arguments = ["--base", paths[BASE], "--sidecar", paths[SIDECAR]]
    arguments += ["--patch", paths[PATCH], "--output", output]
    found = native.run(*arguments)
    if attempt.error is None:
        assert found.returncode == 0, found.stderr
        assert output.is_file()
        return
    assert found.returncode == 2
    assert found.stderr.startswith(f"od_patch_apply: {attempt.status}: ")
    assert found.stderr.rstrip("\n").isprintable()
    assert list(tmp_path.iterdir()) == []
