"""Graphs that differ are told apart, by the first operation that does."""

from __future__ import annotations

import re

import numpy as np
import pytest
import tiny_detector

from object_detection_patch.export.class_numbers import StructureError
from object_detection_patch.export.graph import Graph
from object_detection_patch.export.same_graph import check_same_graph


@pytest.fixture
def detector():
    return tiny_detector.make("int8")


def _numbers(classes):
    """Random weights for more or fewer classes than the detector's."""
    random = np.random.default_rng(5)
    fields = vars(tiny_detector.random_numbers(seed=5)) | {
        "classes": random.uniform(-1, 1, (classes + 1, 1, 1, 3)).astype("f4"),
        "classes_bias": np.ones(classes + 1, np.float32),
    }
    return tiny_detector.Numbers(**fields)


def _refusal(graph, published):
    with pytest.raises(StructureError) as caught:
        check_same_graph(graph, published)
    return str(caught.value)


@pytest.mark.parametrize("precision", tiny_detector.PRECISIONS)
def test_other_weights_are_no_difference(precision):
    other = tiny_detector.make(precision, numbers=_numbers(2))
    published = Graph(tiny_detector.make(precision).data)
    check_same_graph(Graph(other.data), published)


def test_other_ranges_and_detections_are_no_difference(detector):
    other = Graph(detector.data)
    tensor = detector.tensors["boxes out"]
    other.tensor(tensor).quantization.scale = [0.5]
    other.tensor(detector.tensors["locations"]).shape = [1, 100, 4]
    check_same_graph(Graph(detector.data), other)


def test_another_shape_is_named(detector):
    """All operators are alike: only what they read tells the two apart."""
    other = Graph(tiny_detector.make("int8", numbers=_numbers(7)).data)
    published = Graph(detector.data)
    assert other.codes() == published.codes()
    message = _refusal(other, published)
    assert re.search(
        r"operation 5 is CONV_2D\(\[1, 4, 4, 3\] #1, \[8, 1, 1, 3\], \[8\]\) "
        r"for these weights, CONV_2D\(\[1, 4, 4, 3\] #1, \[3, 1, 1, 3\], "
        r"\[3\]\) in the published",
        message,
    ), message


def test_another_wiring_is_named(detector):
    """Of one shape, yet not the same tensor: the image instead of a layer."""
    other = Graph(detector.data)
    boxes = next(
        operator
        for operator in other.subgraph.operators
        if detector.tensors["boxes out"] in operator.outputs
    )
    boxes.inputs = [detector.tensors["quantised image"], *boxes.inputs[1:]]
    message = _refusal(other, Graph(detector.data))
    assert "[1, 4, 4, 3] #0" in message and "[1, 4, 4, 3] #1" in message


def test_another_operator_is_named(detector):
    float_graph = Graph(tiny_detector.make("float32").data)
    message = _refusal(float_graph, Graph(detector.data))
    assert "operation 0 is DEPTHWISE_CONV_2D(" in message
    assert ", QUANTIZE([1, 4, 4, 3]) in the published" in message


@pytest.mark.parametrize("shorter", [0, 1])
def test_an_operation_too_many_is_named(detector, shorter):
    graphs = [Graph(detector.data), Graph(detector.data)]
    del graphs[shorter].subgraph.operators[-1]
    message = _refusal(*graphs)
    where = ("for these weights", "in the published base")[shorter]
    assert "operation 8 is" in message and f"absent {where}" in message
