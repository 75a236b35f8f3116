"""`od-patch decathlon`: what it refuses, prints, passes on and returns."""

from __future__ import annotations

import os
import pathlib
import shlex
import subprocess

import pytest

from object_detection_patch import cli
from object_detection_patch.decathlon.report import page
from object_detection_patch.decathlon.running import record
from object_detection_patch.decathlon.running import run as running
from object_detection_patch.decathlon.running.folder import open_folder
from object_detection_patch.decathlon.running.lock import locked
from object_detection_patch.decathlon.suite import mini, runs, suites
from tests.decathlon.running.records_to_test import run_record
from tests.decathlon.suite import suites_to_test

_MINI = mini.suite()


@pytest.fixture(autouse=True)
def _nothing_runs(monkeypatch):
    monkeypatch.setattr(running, "Jobs", None)


@pytest.fixture
def run(tmp_path, capsys):
    """Runs the verb; returns exit code, output and errors."""

    def run(*words, suite="mini", out_dir=tmp_path / "out"):
        code = cli.main(
            [
                *("decathlon", "run", "--suite", str(suite)),
                *("--out_dir", str(out_dir), *map(str, words)),
            ]
        )
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


@pytest.fixture
def mine(tmp_path):
    """Writes a suite with records that exist, and returns its file."""

    def mine(**changes):
        suite = suites_to_test.suite(**changes)
        path = tmp_path / "mine.json"
        record.write_json(path, suite)
        data = tmp_path / "data"
        data.mkdir(exist_ok=True)
        for task in (suite.source, *suite.tasks):
            for name in ("train_records", "eval_records", "label_map"):
                (data / getattr(task, name)).write_bytes(b"x")
        return path

    return mine


@pytest.mark.parametrize("action", [[], ["run"], ["report"]])
def test_help_needs_numpy_alone(with_numpy_alone, action):
    done = with_numpy_alone("decathlon", *action, "--help")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(
        f"usage: {' '.join(['od-patch', 'decathlon', *action])} ["
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--methods", "SPOTPACH"], "A method must be one of FINE_TUNING, "),
        (["--tasks", "voc", "bird"], "A task must be one of birds, "),
        (["--experiments", "mian"], "An experiment must be one of tuning, "),
        (
            ["--experiments", "updating", "--tasks", "voc"],
            "Suite mini must have something to run",
        ),
    ],
)
def test_what_the_suite_has_not_is_refused(run, tmp_path, words, message):
    code, out, err = run(*words)

    assert (code, out) == (2, "")
    assert err.startswith(f"od-patch: {message}")
    assert words[-1] in err.partition("Received: ")[2]
    assert not (tmp_path / "out").exists()


def test_an_unknown_suite_is_refused(run, tmp_path):
    code, out, err = run(suite=tmp_path / "minni.json")

    assert (code, out) == (2, "")
    assert "`--suite` must be mini, paper or the JSON file" in err
    assert str(tmp_path / "minni.json") in err


def test_a_suite_with_a_fault_is_refused(run, tmp_path):
    (tmp_path / "mine.json").write_text('{"name": "mine"', encoding="utf-8")
    code, _, err = run(suite=tmp_path / "mine.json")

    assert code == 2
    assert str(tmp_path / "mine.json") in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--jobs", "0"], "--jobs: must be 1 or more. Received: 0"),
        (["--seeds", "0"], "--seeds: must be 1 or more. Received: 0"),
        (["--sedes", "3"], "unrecognized arguments: --sedes"),
        (["--methods"], "--methods: expected at least one argument"),
    ],
)
def test_bad_usage_is_refused(run, capsys, words, message):
    with pytest.raises(SystemExit) as caught:
        run(*words)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["--print_commands"]])
def test_missing_data_are_named_by_archive_and_folder(run, tmp_path, words):
    data = tmp_path / "real ones"
    code, out, err = run(
        *("--tasks", "voc", "--data_dir", data, *words), suite="paper"
    )

    assert (code, out) == (2, "")
    assert "Task voc (" in err
    assert str(data / "voc_train.record-?????-of-?????") in err
    assert "VOCtrainval_06-Nov-2007.tar" in err
    command = shlex.split(err.partition("`")[2].partition("`")[0])
    assert command == [
        *("python", "-m", "tfrecords_tools", "convert", "voc"),
        *("--data_dir", str(data / "voc"), "--output_dir", str(data)),
    ]


def test_the_source_is_asked_for_as_well(run, mine, tmp_path):
    path = mine()
    (tmp_path / "data" / "source_eval.record").unlink()
    code, _, err = run("--data_dir", tmp_path / "data", suite=path)

    assert code == 2
    assert "Task source (Source) needs" in err


def test_a_directory_of_something_else_is_left_alone(run, tmp_path):
    (tmp_path / "photo.jpg").touch()
    for words in ([], ["--print_commands"]):
        code, out, err = run(*words, out_dir=tmp_path)
        assert (code, out) == (2, "")
        assert f"Received: {tmp_path}, which has no suite.json" in err
    assert os.listdir(tmp_path) == ["photo.jpg"]


def test_a_directory_in_use_is_left_alone(run, tmp_path):
    with locked(open_folder(tmp_path / "out")):
        for words in ([], ["--print_commands"]):
            code, _, err = run(*words)
            assert code == 2
            assert "which another one is using" in err
    assert not (tmp_path / "out" / "suite.json").exists()


def test_a_half_written_record_is_named(run, tmp_path):
    first = runs.select(_MINI)[0]
    path = open_folder(tmp_path / "out").run_record(first.id)
    assert run("--print_commands")[0] == 0
    record.write_json(path, run_record(_MINI, first))
    path.write_bytes(path.read_bytes()[:99])
    code, out, err = run("--print_commands")

    assert (code, out) == (2, "")
    assert f"{path} must hold a whole RunRecord" in err


def test_changed_settings_under_a_result_are_refused(run, mine, tmp_path):
    words = ("--print_commands", "--data_dir", tmp_path / "data")
    assert run(*words, suite=mine())[0] == 0
    first = runs.select(suites_to_test.suite())[0]
    path = open_folder(tmp_path / "out").run_record(first.id)
    record.write_json(path, run_record(suites_to_test.suite(), first))
    held = (tmp_path / "out" / "suite.json").read_bytes()
    changed = mine(
        tasks=(suites_to_test.task("birds", flip=False),), updating=None
    )
    code, _, err = run(*words, suite=changed)

    assert code == 2
    assert "different configurations must not be mixed" in err
    assert str(path) in err
    assert (tmp_path / "out" / "suite.json").read_bytes() == held


def test_commands_are_printed_and_none_is_run(run, tmp_path):
    code, out, _ = run("--print_commands", "--quick")

    assert code == 0
    blocks = [block.splitlines() for block in out[:-1].split("\n\n")]
    assert [len(block) for block in blocks] == [3, 1, 12]
    written = sorted(os.listdir(tmp_path / "out"))
    assert written == ["suite.json", "work"]
    assert os.listdir(tmp_path / "out" / "work") == ["lock"]
    kept = record.read_suite(tmp_path / "out" / "suite.json")
    assert kept == suites.load("mini")


def test_paths_come_through_a_shell(run, mine, tmp_path, monkeypatch):
    out_dir, data = tmp_path / 'o "u"; $t', tmp_path / "d a"
    path = mine()
    (tmp_path / "data").rename(data)
    # A relative one means the folder that the command is given in.
    monkeypatch.chdir(tmp_path)
    words = ("--print_commands", "--data_dir", "d a")
    code, out, _ = run(*words, out_dir=out_dir, suite=path)
    assert code == 0

    monkeypatch.undo()
    line = out.splitlines()[-1]
    echoed = subprocess.run(
        ["bash", "-c", f"printf '%s\\0' {line}"],
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    words = echoed.decode().split("\0")[:-1]
    assert words[3:5] == [f"--out_dir={out_dir}", f"--data_dir={data}"]
    assert words[5:] == ["--run", "main__spotpatch__coco__seed1"]


def test_nothing_left_prints_nothing(run, mine, tmp_path):
    path = mine(tasks=(suites_to_test.task("birds"),), updating=None)
    suite = record.read_suite(path)
    for one in runs.select(suite):
        record.write_json(
            open_folder(tmp_path / "out").run_record(one.id),
            run_record(suite, one),
        )
    record.write_json(tmp_path / "out" / "suite.json", suite)

    words = ("--print_commands", "--data_dir", tmp_path / "data")
    assert run(*words, suite=path)[:2] == (0, "")


def test_quick_needs_a_suite_that_says_what_is(run, mine, tmp_path):
    code, _, err = run("--quick", suite=mine(quick=((), ())))

    assert code == 2
    assert "`--quick` needs a suite whose `quick` names" in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("failed", "code"), [(0, 0), (2, 1)])
def test_failed_runs_are_a_finding(run, calls, tmp_path, failed, code):
    calls.intercept(running, run_suite=failed)
    words = ["--methods", "SPOTPATCH", "--seeds", 2, "--jobs", 3]
    found = run(*words, "--retry_failed", out_dir=tmp_path / "a b")

    ((_, (folder, suite, selected), options),) = calls.made
    assert (folder.root, suite) == (tmp_path / "a b", _MINI)
    assert len(selected) == 9 * 2
    assert {one.method for one in selected} == {"SPOTPATCH"}
    assert options == {"jobs": 3, "phone": True, "retry_failed": True}
    assert found[:2] == (code, "")
    assert f"18 runs asked for, {failed} failed now" in found[2]
    report = shlex.split(found[2].partition("`")[2].partition("`")[0])
    assert report == ["od-patch", "decathlon", "report", f"{tmp_path}/a b"]


@pytest.mark.parametrize(
    ("words", "tasks", "methods"),
    [
        (["--quick"], _MINI.quick[0], _MINI.quick[1]),
        (["--quick", "--tasks", "pet"], ("pet",), _MINI.quick[1]),
        (["--quick", "--methods", "PIGGYBACK"], _MINI.quick[0], ("PIGGYBACK",)),
    ],
)
def test_quick_is_narrowed_further(run, calls, words, tasks, methods):
    calls.intercept(running, run_suite=0)
    assert run(*words)[0] == 0

    ((_, (_, _, selected), _),) = calls.made
    assert {one.task.key for one in selected} == set(tasks)
    assert {one.method for one in selected} == set(methods)


def test_the_phone_is_asked_for_by_its_name(run, calls):
    calls.intercept(running, run_suite=0)
    run("--experiments", "tuning")

    ((_, (_, _, selected), options),) = calls.made
    assert {one.experiment for one in selected} == {"tuning"}
    assert options["phone"] is False


def test_a_report_names_its_files(calls, capsys, tmp_path):
    calls.intercept(page, write_report=[tmp_path / "report.html"])

    assert cli.main(["decathlon", "report", str(tmp_path)]) == 0
    assert calls.made == [("write_report", (tmp_path,), {})]
    assert capsys.readouterr().out == f"{tmp_path / 'report.html'}\n"


def test_a_report_of_nothing_is_refused(capsys, tmp_path):
    assert cli.main(["decathlon", "report", str(tmp_path)]) == 2
    assert f"{tmp_path}, which has no suite.json" in capsys.readouterr().err
    assert list(pathlib.Path(tmp_path).iterdir()) == []
