"""What the OD API's TFLite exporter and the converter are asked for."""

from __future__ import annotations

import importlib.util
import pathlib
import re

import pytest

from object_detection_patch.od_api import compat, export_tflite

compat.enable()
from object_detection import (  # noqa: E402
    export_tflite_graph_lib_tf2 as exporter,
)


@pytest.fixture
def asked(monkeypatch):
    """The arguments of each call of the exporter."""
    calls = []
    monkeypatch.setattr(
        exporter, "export_tflite_model", lambda *given: calls.append(given)
    )
    return calls


def _default_of_the_program(flag):
    """As the exporter's own command line has it."""
    spec = importlib.util.find_spec("object_detection.export_tflite_graph_tf2")
    source = pathlib.Path(spec.origin).read_text(encoding="utf-8")
    found = re.search(rf"DEFINE_\w+\(\s*'{flag}',\s*(\w+)", source)
    return found[1]


def test_the_defaults_are_the_exporters(asked):
    folder = export_tflite.export_saved_model("config", "from", "to")
    assert folder == "to/saved_model"
    assert asked == [("config", "from", "to", 10, False)]
    assert export_tflite.MAX_DETECTIONS == 10
    assert _default_of_the_program("ssd_max_detections") == "10"
    assert _default_of_the_program("ssd_use_regular_nms") == "False"


def test_options_reach_the_exporter(asked):
    export_tflite.export_saved_model(
        "config", "from", "to", max_detections=30, regular_nms=True
    )
    assert asked == [("config", "from", "to", 30, True)]


def test_int8_needs_images(monkeypatch):
    monkeypatch.setattr(
        export_tflite.tf.lite.TFLiteConverter,
        "from_saved_model",
        lambda _: None,
    )
    with pytest.raises(ValueError, match="`--calibration_records`"):
        export_tflite.convert("folder", "int8")


def test_layers_are_not_traced_for_the_saved_model_alone(monkeypatch):
    from tf_keras.src.saving.legacy.saved_model import utils

    traced = []
    monkeypatch.setattr(
        exporter,
        "export_tflite_model",
        lambda *given: traced.append(utils.should_save_traces()),
    )
    export_tflite.export_saved_model("config", "from", "to")
    assert traced == [False]
    assert utils.should_save_traces()
