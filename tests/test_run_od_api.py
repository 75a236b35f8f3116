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


def test_a_program_in_a_missing_package(capsys):
    assert run_od_api.main(["none.such.thing"]) == 2
    assert "Received: 'none.such.thing'" in capsys.readouterr().err


def test_a_config_with_a_patch(small_world, tmp_path):
    done = _run(
        "exporter_main_v2",
        "--input_type=image_tensor",
        f"--pipeline_config_path={small_world.config('stripes', 'BN_PATCH')}",
        f"--trained_checkpoint_dir={tmp_path}",
        f"--output_directory={tmp_path}/out",
    )
    assert done.returncode == 2, done.stderr
    assert "`od-patch merge` it first" in done.stderr
    assert "Traceback" not in done.stderr


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
