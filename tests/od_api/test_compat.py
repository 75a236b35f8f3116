"""Each fix is needed without compat, works with it, and changes no more."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
from importlib import metadata

import pytest

# Not importorskip: importing either would bring in TensorFlow before us.
for package in ("tf_keras", "object_detection"):
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"needs {package}", allow_module_level=True)

from object_detection_patch.od_api import compat  # noqa: E402

# What the OD API does, by the fix that lets it. Each must end without error.
_USES = {
    "numpy_names": """
import numpy as np
assert np.array([1], dtype=np.float).dtype == np.float64
assert np.array([1], dtype=np.int).dtype.kind == "i"
assert np.array([1], dtype=np.bool).dtype.kind == "b"
assert np.array([1], dtype=np.object).dtype.kind == "O"
assert np.array([b"x"], dtype=np.string_).dtype.kind == "S"
assert np.isnan(np.NAN)
""",
    "keras_applications": """
from tensorflow.python.keras.applications import resnet
import tf_keras
assert resnet.ResNet50 is tf_keras.applications.ResNet50
assert callable(resnet.ResNet)
""",
    "efficientnet": """
from official.vision.image_classification.efficientnet import (
    efficientnet_model)
""",
    "control_flow_ops": """
import tensorflow as tf
from tensorflow.python.ops import control_flow_ops
assert control_flow_ops.cond(tf.constant(True), lambda: 1, lambda: 2) == 1
assert control_flow_ops.case(
    [(tf.constant(False), lambda: 1)], default=lambda: 2) == 2
assert control_flow_ops.while_loop(
    lambda i: i < 3, lambda i: i + 1, [tf.constant(0)]) == 3
""",
    "estimator": """
from tensorflow.compat.v1 import estimator
""",
    "pillow_font_size": """
from PIL import ImageFont
font = ImageFont.load_default()
narrow, wide = font.getsize("i"), font.getsize("iiii")
assert 0 < narrow[0] < wide[0] and narrow[1] > 0
""",
    "lvis": """
from object_detection.metrics import lvis_evaluation
""",
    "contextlib2": """
import contextlib2
with contextlib2.ExitStack() as stack:
    stack.callback(print)
""",
}

# Runs every use; prints the errors by name, and the fixes that were applied.
_PROBE = """
import json, os, sys
os.environ["TF_USE_LEGACY_KERAS"] = "1"
uses, applied = json.loads(sys.argv[1]), []
if sys.argv[2] == "with":
    from object_detection_patch.od_api import compat
    applied = [fix.name for fix in compat.applied_fixes()]
errors = {}
for name, code in uses.items():
    try:
        exec(code, {})
    except Exception as error:
        errors[name] = repr(error)
print("\\n" + json.dumps([errors, applied]))
"""


def _probe(mode: str) -> tuple[dict[str, str], list[str]]:
    environment = dict(os.environ)
    environment |= {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    process = subprocess.run(
        [sys.executable, "-c", _PROBE, json.dumps(_USES), mode],
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert process.returncode == 0, process.stderr
    errors, applied = json.loads(process.stdout.splitlines()[-1])
    return errors, applied


@pytest.fixture(scope="module")
def without() -> dict[str, str]:
    return _probe("without")[0]


@pytest.fixture(scope="module")
def with_compat() -> tuple[dict[str, str], list[str]]:
    return _probe("with")


@pytest.mark.parametrize("name", _USES)
def test_a_fix_is_applied_where_needed_and_only_there(
    name, without, with_compat
):
    errors, applied = with_compat
    assert name not in errors
    assert (name in applied) == (name in without), without.get(name)


@pytest.mark.parametrize(
    ("name", "package", "since"),
    [
        ("numpy_names", "numpy", (1, 24)),
        ("keras_applications", "tensorflow", (2, 13)),
        ("control_flow_ops", "tensorflow", (2, 13)),
        ("estimator", "tensorflow", (2, 16)),
        ("pillow_font_size", "pillow", (10, 0)),
    ],
)
def test_the_version_a_fix_names_is_right(name, package, since, with_compat):
    version = tuple(map(int, metadata.version(package).split(".")[:2]))
    assert (name in with_compat[1]) == (version >= since)


def test_every_fix_has_a_use_here_and_says_why_and_until_when():
    fixes = {fix.name: fix for fix in compat.known_fixes()}
    # The ResNet of newer copies is tried by itself, below.
    assert set(fixes) == {*_USES, "keras_2_resnet"}
    assert all(fix.reason and fix.until for fix in fixes.values())


def _fix(name: str) -> compat.Fix:
    return next(fix for fix in compat.known_fixes() if fix.name == name)


def test_enabling_twice_changes_nothing():
    compat.enable()
    before = compat.applied_fixes()
    compat.enable()
    assert compat.applied_fixes() == before
    assert [fix.name for fix in compat.known_fixes() if fix.apply()] == []


def test_enabling_touches_no_tensorflow_setting():
    code = (
        "from object_detection_patch.od_api import compat\n"
        "compat.enable()\n"
        "import tensorflow as tf\n"
        "cpu = tf.config.list_physical_devices('CPU')[0]\n"
        "two = [tf.config.LogicalDeviceConfiguration()] * 2\n"
        # Refused by TensorFlow once its runtime is up.
        "tf.config.set_logical_device_configuration(cpu, two)\n"
        "print(len(tf.config.list_logical_devices('CPU')),\n"
        "      tf.executing_eagerly())"
    )
    environment = dict(os.environ, CUDA_VISIBLE_DEVICES="-1")
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    process = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert process.stdout.split() == ["2", "True"], process.stderr


def test_a_resnet_of_keras_3_is_replaced(monkeypatch):
    compat.enable()
    host = importlib.import_module(
        "object_detection.models.keras_models.resnet_v1"
    )
    right = host.resnet
    monkeypatch.setattr(host, "resnet", object())
    assert _fix("keras_2_resnet").apply()
    assert host.resnet is right
    assert not _fix("keras_2_resnet").apply()


@pytest.fixture
def no_lvis(monkeypatch):
    for name in ("lvis", "lvis.lvis", "lvis.eval", "lvis.results"):
        monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.usefixtures("no_lvis")
def test_absent_lvis_can_be_named_but_not_used():
    assert _fix("lvis").apply()
    from lvis import eval as lvis_eval
    from lvis import lvis, results

    class Wrapper(lvis.LVIS):
        pass

    for kind in (Wrapper, lvis_eval.LVISEval, results.LVISResults):
        with pytest.raises(ImportError, match="Mend: pip install lvis"):
            kind("annotations")


def test_absent_contextlib2_is_contextlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "contextlib2", None)
    assert _fix("contextlib2").apply()
    assert sys.modules["contextlib2"] is contextlib


def test_a_module_on_use_gives_its_target_or_the_mend():
    alias = compat._ModuleOnUse("alias", target="json", mend="nothing")
    assert alias.dumps is json.dumps
    absent = compat._ModuleOnUse(
        "absent", target="no_such_module", mend="pip install it"
    )
    assert not hasattr(absent, "__path__")
    with pytest.raises(
        ImportError,
        match=r"`absent\.thing` needs `no_such_module`\. Received: No module "
        r".* Mend: pip install it",
    ):
        _ = absent.thing


@pytest.fixture
def fake_od_api(monkeypatch, tmp_path):
    """A folder to be imported as `object_detection`, empty for now."""
    real = [n for n in sys.modules if n.split(".")[0] == "object_detection"]
    for name in real:
        monkeypatch.delitem(sys.modules, name)
    package = tmp_path / "object_detection"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    yield package
    for name in [n for n in sys.modules if n.startswith("object_detection.")]:
        del sys.modules[name]
    sys.modules.pop("object_detection", None)


def _enable_anew() -> None:
    # `enable` looks once a process; these tests look at other packages.
    compat._enable_once.__wrapped__()


def test_a_missing_od_api_names_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "object_detection", None)
    with pytest.raises(
        ImportError, match="no such package. Mend: od-patch install-od-api"
    ):
        _enable_anew()


def test_a_tf1_copy_is_refused(fake_od_api: pathlib.Path):
    with pytest.raises(ImportError) as caught:
        _enable_anew()
    assert "a TF1-era copy without `model_lib_v2`" in str(caught.value)
    assert str(fake_od_api) in str(caught.value)
    assert "Mend: od-patch install-od-api" in str(caught.value)


def test_protos_never_compiled_are_refused(fake_od_api: pathlib.Path):
    (fake_od_api / "model_lib_v2.py").touch()
    (fake_od_api / "protos").mkdir()
    (fake_od_api / "protos" / "pipeline.proto").touch()
    with pytest.raises(ImportError, match="protos were never compiled"):
        _enable_anew()


@pytest.mark.parametrize(
    "name",
    [
        "/cpu:0",
        "CPU:0",
        "/device:CPU:0",
        "/CPU",
        "/job:localhost/replica:0/task:0/device:CPU:0",
    ],
)
def test_existing_devices_pass(name):
    compat.refuse_missing_devices([name])


def test_missing_devices_are_named():
    with pytest.raises(ValueError) as caught:
        compat.refuse_missing_devices(["/cpu:0", "/cpu:97", "/gpu:98"])
    message = str(caught.value)
    assert "must exist. Received: ['/cpu:97', '/gpu:98']" in message
    assert "TensorFlow sees CPU:0" in message
    assert "set_logical_device_configuration" in message


@pytest.mark.parametrize("name", ["", "processor", "/job:worker", "cpu:one"])
def test_a_bad_device_name_is_refused(name):
    with pytest.raises(ValueError, match="must be named like '/cpu:0'"):
        compat.refuse_missing_devices([name])
