"""Ranges come from the converter, in the order of the published graph."""

from __future__ import annotations

import dataclasses
import types

import numpy as np
import pytest
import tiny_detector

from object_detection_patch.export import activations
from object_detection_patch.export.class_numbers import StructureError

_IMAGES = list(np.ones((3, 4, 4, 3), np.float32))


@pytest.fixture
def asked(monkeypatch):
    """What exporter and converter were asked for."""
    seen = {}

    def export(*arguments, **options):
        seen["exported"] = arguments, options
        return "a saved model"

    def convert(folder, precision, images):
        seen["converted"] = folder, precision, [one.shape for one in images()]
        return tiny_detector.make("int8").data

    monkeypatch.setattr(activations.export_tflite, "export_saved_model", export)
    monkeypatch.setattr(activations.export_tflite, "convert", convert)
    return seen


def _calibrated(published):
    return activations.calibrated(
        "pipeline", "from", "to", _IMAGES, published=published
    )


def test_ranges_are_those_of_the_conversion(asked):
    other = tiny_detector.make("int8", numbers=tiny_detector.random_numbers(9))
    found = _calibrated(other.data)
    assert found.ranges == tuple(
        (pytest.approx(scale), zero_point)
        for scale, zero_point in tiny_detector.STEPS.values()
    )
    assert found.model == tiny_detector.make("int8").data


def test_the_images_are_given_one_by_one(asked):
    _calibrated(tiny_detector.make("int8").data)
    shapes = [(1, 4, 4, 3)] * 3
    assert asked["converted"] == ("a saved model", "int8", shapes)


def test_post_processing_is_left_to_the_exporter(asked):
    """No quantised tensor goes through it, so ranges are the same."""
    _calibrated(tiny_detector.make("int8").data)
    assert asked["exported"] == (("pipeline", "from", "to"), {})


def test_another_graph_is_refused(asked):
    numbers = dataclasses.replace(
        tiny_detector.random_numbers(),
        boxes=np.ones((8, 1, 1, 3), np.float32),
        boxes_bias=np.ones(8, np.float32),
    )
    other = tiny_detector.make("int8", numbers=numbers).data
    with pytest.raises(StructureError, match="operation 2 is CONV_2D"):
        _calibrated(other)


def test_any_ranges_are_one_for_each_activation():
    sidecar = types.SimpleNamespace(activations=[1, 2, 3])
    assert activations.any_ranges(sidecar) == ((1.0, 0),) * 3
