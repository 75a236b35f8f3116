"""Processes of the demo, and the logs that they leave."""

import pathlib
import sys

import pytest

from object_detection_patch.demo.processes import JobFailed, execute

_SAYS = "import os, sys; print(os.environ['TF_NUM_INTRAOP_THREADS']); "
_SAYS += "print('bad', file=sys.stderr); sys.exit({})"


def _run(tmp_path: pathlib.Path, code: int) -> tuple[list[str], str]:
    lines: list[str] = []
    log = tmp_path / "log.txt"
    log.write_text("earlier\n")
    command = [sys.executable, "-u", "-c", _SAYS.format(code)]
    execute(command, title="It", log=str(log), threads=3, on_line=lines.append)
    return lines, log.read_text()


def test_the_log_holds_command_and_output(tmp_path: pathlib.Path) -> None:
    lines, log = _run(tmp_path, 0)
    assert lines == ["3\n", "bad\n"]
    earlier, command, *output = log.splitlines()
    assert earlier == "earlier"
    assert command.startswith(f"$ {sys.executable} -u -c 'import os")
    assert output == ["3", "bad"]


def test_a_failure_names_the_log(tmp_path: pathlib.Path) -> None:
    with pytest.raises(JobFailed, match="It ended with exit code 4; .*log.txt"):
        _run(tmp_path, 4)
    assert "bad" in (tmp_path / "log.txt").read_text()
