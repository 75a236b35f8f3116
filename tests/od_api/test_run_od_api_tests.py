"""The runner of the OD API's own tests: what it finds, counts and accepts."""

from __future__ import annotations

import importlib.util
import json
import pathlib
import subprocess
import sys

import pytest

# By its place: pytest's importlib mode does not put the repository on the path.
_PLACE = pathlib.Path(__file__).with_name("run_od_api_tests.py")
_SPEC = importlib.util.spec_from_file_location("run_od_api_tests", _PLACE)
runner = importlib.util.module_from_spec(_SPEC)
sys.modules[_SPEC.name] = runner
_SPEC.loader.exec_module(runner)

_MODULE = "object_detection.core.boxes_test"


def _line(test: str, status: str) -> str:
    return json.dumps({"test": test, "status": status, "detail": ""}) + "\n"


def _outcomes(**statuses: str) -> list:
    return [
        runner.Outcome(f"{_MODULE}.T.{name}", status)
        for name, status in statuses.items()
    ]


def test_modules_are_found_without_tf1_and_base_classes(monkeypatch, tmp_path):
    (tmp_path / "core").mkdir()
    runnable = 'if __name__ == "__main__": ...'
    for name in ("boxes_test", "boxes_tf1_test", "boxes", "base_test"):
        file = tmp_path / "core" / f"{name}.py"
        file.write_text("" if name == "base_test" else runnable)
    monkeypatch.setattr(runner, "_package_root", lambda: tmp_path)
    assert runner.find_modules(["core/*", "core/boxes*", "none/*"]) == [_MODULE]


def test_a_report_of_a_process_that_ended_well():
    lines = _line("a", "started") + _line("a", "passed")
    assert runner.read_report("m", lines, "", "") == [
        runner.Outcome("a", "passed")
    ]


def test_a_process_that_died_fails_the_test_it_was_in():
    lines = "".join(
        [_line("a", "started"), _line("a", "passed"), _line("b", "started")]
    )
    passed, failed = runner.read_report("m", lines, "stopped after 3 s", "log")
    assert (passed.test, passed.status) == ("a", "passed")
    assert failed == runner.Outcome("b", "failed", "stopped after 3 s\nlog")


def test_a_module_that_cannot_be_imported_fails_itself():
    (failed,) = runner.read_report(
        "m", "", "process ended with status 1", "why"
    )
    assert failed == runner.Outcome(
        "m", "failed", "process ended with status 1\nwhy"
    )


def test_a_hanging_process_is_stopped_with_its_children():
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c',\n"
        "                          'import time; time.sleep(60)'])\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    child = process.stdout.readline().decode().strip()
    assert runner._wait(process, 0.1) == "stopped after 0.1 s"
    # The child held the pipe open too: only its end lets us read to the end.
    assert process.stdout.read() == b""
    process.stdout.close()
    assert child.isdigit()


def test_expected_failures_are_accepted():
    known = {f"{_MODULE}.T.b": "cause", "object_detection.other_test": "cause"}
    outcomes = _outcomes(a="passed", b="failed", c="skipped")
    assert runner.compare(outcomes, known, [_MODULE]) == []
    assert runner.summary(outcomes) == "1 passed, 1 failed, 1 skipped"


def test_an_unknown_failure_is_reported():
    (complaint,) = runner.compare(_outcomes(b="failed"), {}, [_MODULE])
    assert complaint.startswith(f"FAILED {_MODULE}.T.b\n")


@pytest.mark.parametrize(
    ("outcomes", "fate"),
    [
        (_outcomes(b="passed"), "passes now"),
        (_outcomes(b="skipped"), "was not run"),
        ([], "was not run"),
    ],
)
def test_an_expected_failure_that_is_gone_is_reported(outcomes, fate):
    known = {f"{_MODULE}.T.b": "cause"}
    assert runner.compare(outcomes, known, [_MODULE]) == [
        f"UNEXPECTED {_MODULE}.T.b {fate}: delete it from known_failures.json"
    ]


@pytest.mark.parametrize(
    "entry",
    [
        {"cause": "c", "used_by_us": True},
        {"cause": "c"},
        {"cause": "", "used_by_us": False},
    ],
)
def test_a_known_failure_needs_a_cause_outside_our_paths(tmp_path, entry):
    table = tmp_path / "known.json"
    table.write_text(json.dumps({"a.test": entry}))
    with pytest.raises(ValueError, match=r"Received: a\.test: .*known\.json"):
        runner.read_known_failures(table)


def test_the_committed_table_is_valid():
    known = runner.read_known_failures()
    assert known
    assert all(test.startswith("object_detection.") for test in known)


@pytest.mark.skipif(
    importlib.util.find_spec("object_detection") is None,
    reason="needs the OD API",
)
def test_one_small_module_runs_and_passes(capsys):
    pattern = "box_coders/mean_stddev_box_coder_test.py"
    assert runner.main(["--pattern", pattern]) == 0
    # The module has two tests of its own.
    assert capsys.readouterr().out.splitlines()[-1] == (
        "2 passed, 0 failed, 0 skipped"
    )
