"""Which Keras is picked, and what is refused: each in a fresh process."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import pytest

if importlib.util.find_spec("tf_keras") is None:
    pytest.skip("needs tf_keras, extra [train]", allow_module_level=True)

_IMPORT = "from object_detection_patch.keras_version import keras"


def _run(code: str, setting: str | None) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name != "TF_USE_LEGACY_KERAS"
    }
    environment |= {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    if setting is not None:
        environment["TF_USE_LEGACY_KERAS"] = setting
    # The process must find the package as this one does.
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    return subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def _last_line(process: subprocess.CompletedProcess[str]) -> str:
    return process.stderr.strip().splitlines()[-1]


def test_an_unset_variable_is_set_and_keras_2_is_served():
    process = _run(
        f"{_IMPORT}\n"
        "import os, tensorflow as tf\n"
        "print(os.environ['TF_USE_LEGACY_KERAS'], keras.__name__,\n"
        "      keras.__version__[:2],\n"
        "      tf.keras.layers.Layer is keras.layers.Layer)",
        None,
    )
    assert process.stdout.split() == ["1", "tf_keras", "2.", "True"], (
        process.stderr
    )


def test_tensorflow_imported_before_us_with_keras_2_is_fine():
    process = _run(f"import tensorflow\n{_IMPORT}\nprint(keras)", "True")
    assert "tf_keras" in process.stdout, process.stderr


def test_tensorflow_imported_before_us_with_keras_3_is_refused():
    process = _run(f"import tensorflow\n{_IMPORT}", None)
    assert process.returncode != 0
    message = _last_line(process)
    assert message.startswith(
        "RuntimeError: TF_USE_LEGACY_KERAS=1 must be set before TensorFlow is "
        "imported"
    )
    assert "already imported, with Keras 3." in message
    assert "Mend: set TF_USE_LEGACY_KERAS=1 in the environment" in message


def test_a_variable_set_too_late_is_refused():
    process = _run(
        "import os, tensorflow as tf\n"
        "tf.keras.layers  # Keras 3 is loaded\n"
        "os.environ['TF_USE_LEGACY_KERAS'] = '1'\n"
        f"{_IMPORT}",
        None,
    )
    assert process.returncode != 0
    assert "must be set before TensorFlow is imported" in _last_line(process)


def test_a_variable_switched_off_is_refused_not_overruled():
    process = _run(_IMPORT, "0")
    assert process.returncode != 0
    assert _last_line(process) == (
        "RuntimeError: The OD API runs on Keras 2 only, so the environment "
        "variable TF_USE_LEGACY_KERAS must be 1 or unset. Received: '0'. "
        "Mend: unset it, or set TF_USE_LEGACY_KERAS=1."
    )


def test_a_missing_tf_keras_names_the_extra():
    process = _run(f"import sys\nsys.modules['tf_keras'] = None\n{_IMPORT}", "")
    assert process.returncode != 0
    # The empty string is not a way to switch Keras 2 on.
    assert "must be 1 or unset. Received: ''" in _last_line(process)
    process = _run(
        f"import sys\nsys.modules['tf_keras'] = None\n{_IMPORT}", "1"
    )
    assert _last_line(process) == (
        "ImportError: Keras 2 is needed: the package `tf_keras` is not "
        'installed. Mend: pip install "object_detection_patch[train]"'
    )


def test_the_package_itself_imports_no_keras():
    process = _run(
        "import os, sys, object_detection_patch\n"
        "heavy = {'tensorflow', 'tf_keras', 'keras'} & set(sys.modules)\n"
        "print(heavy, os.environ.get('TF_USE_LEGACY_KERAS'))",
        None,
    )
    assert process.stdout.split() == ["set()", "None"], process.stderr
