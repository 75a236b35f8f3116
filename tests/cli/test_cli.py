"""od-patch: verbs, exit codes, and no heavy import where none is needed."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

from object_detection_patch import cli

_ROOT = pathlib.Path(__file__).parents[2]
_VERBS = (
    "configure",
    "train-multitask",
    "extract",
    "inspect",
    "merge",
    "diff",
    "adapters",
    "footprint",
    "profile",
    "draw",
    "cascade",
    "export-base",
    "publish",
    "apply",
    "export-trainable",
    "extract-trained",
    "store",
    "keygen",
    "decathlon",
    "demo",
    "doctor",
    "install-od-api",
)
_ADAPTERS_ACTIONS = ("compress", "join", "expand")
_STORE_ACTIONS = ("init", "add", "list", "remove", "activate")


def _fails(capsys, code, *arguments):
    assert cli.main(arguments) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    return printed.err


def test_help_lists_every_verb(capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["--help"])
    assert caught.value.code == 0
    printed = capsys.readouterr().out
    listed = re.findall(r"^    ([a-z-]+)(?:  |$)", printed, re.MULTILINE)
    assert tuple(listed) == _VERBS
    assert "\nExit codes: 0 good; 1 findings" in printed


@pytest.mark.parametrize("verb", _VERBS)
def test_every_verb_has_help(capsys, verb):
    with pytest.raises(SystemExit) as caught:
        cli.main([verb, "--help"])
    assert caught.value.code == 0
    assert f"od-patch {verb}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: VERB"),
        (["exract"], "invalid choice: 'exract'"),
        (["extract"], "--pipeline_config_path, --checkpoint_dir, --output"),
        (
            ["footprint", "--pipeline_config_path=x", "--bits=16"],
            "invalid choice: 16",
        ),
    ],
)
def test_bad_usage_exits_with_2(capsys, arguments, message):
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["inspect", "{0}/none.patch"], "none.patch"),
        (
            ["footprint", "--pipeline_config_path={0}/none.config"],
            "`--pipeline_config_path` must name a pipeline.config",
        ),
        (
            [
                "extract",
                "--pipeline_config_path={0}/none.config",
                "--checkpoint_dir={0}",
                "--output={0}/x.patch",
            ],
            "`--pipeline_config_path` must name a pipeline.config",
        ),
        (
            [
                "extract",
                "--pipeline_config_path={0}/none.config",
                "--checkpoint_dir={0}",
                "--output={0}/x.patch",
                "--encoding=compact",
                "--compression=zlib",
            ],
            "`--encoding` says how numbers are stored; leave out "
            "`--value_type` and `--compression`. Received: compact beside "
            "float32 and zlib",
        ),
        (
            [
                "merge",
                "--base_config={0}/none.config",
                "--base_checkpoint={0}",
                "--patch={0}/none.patch",
                "--output_dir={0}/out",
            ],
            "none.patch",
        ),
    ],
)
def test_a_refusal_is_one_line(tmp_path, capsys, arguments, message):
    error = _fails(capsys, 2, *[part.format(tmp_path) for part in arguments])
    assert error.startswith("od-patch: ")
    assert message in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_missing_package_points_to_the_doctor(capsys, monkeypatch):
    # None in sys.modules makes the import fail as if it were not installed.
    monkeypatch.setitem(
        sys.modules, "object_detection_patch.patch_file.inspection", None
    )
    monkeypatch.delattr(
        sys.modules["object_detection_patch.patch_file"],
        "inspection",
        raising=False,
    )
    error = _fails(capsys, 2, "inspect", "x.patch")
    assert error.endswith("`od-patch doctor` tells what is missing.\n")


def test_every_help_needs_numpy_alone(with_numpy_alone):
    helps = [[], *([verb] for verb in _VERBS)]
    helps += [["adapters", action] for action in _ADAPTERS_ACTIONS]
    helps += [["store", action] for action in _STORE_ACTIONS]
    done = with_numpy_alone(
        script=f"""
import contextlib, io
for words in {helps!r}:
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            cli.main([*words, "--help"])
    except SystemExit as caught:
        usage = " ".join(["usage: od-patch", *words, "[-h]"])
        print(*words, caught.code, printed.getvalue().startswith(usage))
print(sorted({{"numpy", "tensorflow"}} & set(sys.modules)))
"""
    )
    expected = [" ".join([*words, "0 True"]) for words in helps]
    assert done.stderr == ""
    assert done.stdout.splitlines() == [*expected, "[]"]


def test_every_file_of_the_package_is_a_verb():
    folder = pathlib.Path(cli.__file__).parent
    files = {path.stem for path in folder.glob("*.py")}
    modules = {name.rpartition(".")[2] for name in _verb_modules()}
    assert files - {"__init__", "__main__", "options"} == modules
    assert len(modules) == len(_VERBS)


def _verb_modules():
    return [verb.__name__ for verb in cli._VERBS]


@pytest.mark.parametrize(
    "program",
    [
        ("-m", "object_detection_patch.cli"),
        (str(_ROOT / "object_detection_patch" / "cli_main.py"),),
    ],
    ids=["module", "file"],
)
def test_the_other_ways_to_run(tmp_path, program):
    done = subprocess.run(
        [sys.executable, *program, "inspect", "none.patch"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(_ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("od-patch: ")
    assert "none.patch" in done.stderr


def _raising(error):
    def run(_):
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (MemoryError(), 2, "not enough memory"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_what_is_no_refusal_is_one_line_too(
    monkeypatch, capsys, error, code, message
):
    monkeypatch.setattr(cli.keygen, "run", _raising(error))
    assert cli.main(["keygen", "--private=a", "--public=b"]) == code
    told = capsys.readouterr().err
    assert message in told
    assert told.count("\n") == 1


def test_a_closed_output_is_no_error(tmp_path):
    command = f"exec {sys.executable} -m object_detection_patch.cli keygen "
    command += "--private key.pem --public pub.pem >&-"
    subprocess.run(command, shell=True, cwd=tmp_path, check=True)
    assert (tmp_path / "pub.pem").exists()


def test_termination_removes_what_was_begun(tmp_path):
    program = """
import pathlib, signal, sys, tempfile
from object_detection_patch import cli
def run(_):
    with tempfile.TemporaryDirectory(dir="."):
        print("\\u96cc", flush=True)
        signal.raise_signal(signal.SIGTERM)
cli.keygen.run = run
sys.argv = ["od-patch", "keygen", "--private=a", "--public=b"]
sys.exit(cli.program())
"""
    ascii_only = os.environ | {"PYTHONIOENCODING": "ascii"}
    found = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=ascii_only,
        capture_output=True,
    )
    assert found.returncode == 143, found.stderr
    assert found.stdout == b"\\u96cc\n"
    assert not list(tmp_path.iterdir())


def test_findings_exit_with_1(capsys, calls):
    calls.replace("object_detection_patch.doctor", diagnose=[], print_report=1)
    assert cli.main(["doctor"]) == 1


def test_inspect_and_help_load_no_tensorflow(tmp_path):
    script = (
        "import sys\n"
        "from object_detection_patch import cli\n"
        f"code = cli.main(['inspect', {str(tmp_path / 'none.patch')!r}])\n"
        "heavy = {'tensorflow', 'object_detection', 'tf_keras'}\n"
        "print(code, sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ
        | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout == "2 []\n", done.stderr


def test_inspect_what_extract_wrote(trained, tmp_path, capsys):
    import json

    config, model_dir = trained
    output = str(tmp_path / "task.patch")
    assert (
        cli.main(
            [
                "extract",
                f"--pipeline_config_path={config}",
                f"--checkpoint_dir={model_dir}",
                f"--output={output}",
                "--encoding=compact",
            ]
        )
        == 0
    )
    capsys.readouterr()
    assert cli.main(["inspect", output, "--json"]) == 0
    described = json.loads(capsys.readouterr().out)
    types = {
        row["value_type"]
        for row in described["layers"]
        if row["edit"] and row["place"] in ("box_head", "class_head")
    }
    assert "half_grid6" in types
    assert described["method"] == "SPOTPATCH"
    assert cli.main(["inspect", output]) == 0
    assert "SPOTPATCH" in capsys.readouterr().out
