"""Programs of the OD API start under our compat."""

import os
import subprocess
import sys

import pytest

from object_detection_patch import run_od_api


def _run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "object_detection_patch.run_od_api", *arguments],
        env=os.environ
        | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_help(capsys):
    assert run_od_api.main(["--help"]) == 0
    assert "run_od_api PROGRAM [FLAGS...]" in capsys.readouterr().out


def test_no_program(capsys):
    assert run_od_api.main([]) == 2
    assert "PROGRAM" in capsys.readouterr().out


def test_an_unknown_program(capsys):
    assert run_od_api.main(["exporter_main_v3"]) == 2
    assert "Received: 'exporter_main_v3'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("program", "flag"),
    [
        ("exporter_main_v2", "--trained_checkpoint_dir"),
        ("export_tflite_graph_tf2", "--ssd_max_detections"),
        ("model_main_tf2", "--checkpoint_every_n"),
    ],
)
def test_programs_see_their_own_flags(program, flag):
    done = _run(program, "--helpfull")
    assert flag in done.stdout
