"""A converted model as we read it, against LiteRT and against its making."""

from __future__ import annotations

import numpy as np
import pytest
import tiny_detector
from ai_edge_litert import interpreter as litert
from ai_edge_litert import schema_py_generated as schema
from tiny_model import Maker

from object_detection_patch.export.class_numbers import StructureError
from object_detection_patch.export.graph import Convolution, Graph

PRECISION = pytest.mark.parametrize("precision", tiny_detector.PRECISIONS)
_LAYERS = ("depthwise", "boxes", "classes")
_CODES = schema.BuiltinOperator


def _one_constant(values, **step):
    """A model that holds one constant, and its tensor."""
    maker = Maker()
    index = maker.constant("constant", values, **step)
    return maker.data([index], [index]), index


def _dequantised(interpreter, index):
    """A constant of a loaded model, by what LiteRT says of it."""
    details = interpreter.get_tensor_details()[index]
    values = interpreter.get_tensor(index)
    step = details["quantization_parameters"]
    if not len(step["scales"]):
        return values.astype(np.float32)
    shape = [1] * values.ndim
    shape[step["quantized_dimension"]] = -1
    scales, zeros = (step[key] for key in ("scales", "zero_points"))
    whole = values.astype(np.int64) - zeros.reshape(shape)
    return whole.astype(np.float32) * scales.reshape(shape)


@PRECISION
def test_constants_are_what_litert_reads(precision):
    detector = tiny_detector.make(precision)
    interpreter = litert.Interpreter(model_content=detector.data)
    graph = Graph(detector.data)
    for name in _LAYERS:
        for index in (
            detector.tensors[name],
            detector.tensors[f"{name}_bias"],
        ):
            stored = interpreter.get_tensor(index)
            assert graph.data(index).tobytes() == stored.tobytes()
            values = graph.values(index)
            assert values.dtype == np.float32
            np.testing.assert_array_equal(
                values, _dequantised(interpreter, index)
            )


@pytest.mark.parametrize(
    ("precision", "error"), [("float32", 0), ("float16", 2**-11), ("int8", 0.5)]
)
def test_constants_are_the_numbers_that_were_stored(precision, error):
    detector = tiny_detector.make(precision)
    graph = Graph(detector.data)
    for name in _LAYERS:
        wanted = getattr(detector.numbers, name)
        found = graph.values(detector.tensors[name])
        # int8 rounds to steps of a 127th of the channel's greatest weight,
        # and no weight is above 1; float16 keeps 11 bits.
        step = 1 / 127 if precision == "int8" else 1
        np.testing.assert_allclose(found, wanted, rtol=0, atol=error * step)


def test_each_channel_has_its_scale():
    steps = np.arange(-6, 6, dtype=np.int8).reshape(1, 2, 2, 3)
    data, index = _one_constant(steps, scales=[0.5, 1, 4], axis=3)
    np.testing.assert_array_equal(
        Graph(data).values(index)[0],
        [[[-3, -5, -16], [-1.5, -2, -4]], [[0, 1, 8], [1.5, 4, 20]]],
    )


def test_one_scale_is_for_all():
    data, index = _one_constant(
        np.array([[-4, 2], [0, 100]], np.int32), scales=[0.25]
    )
    np.testing.assert_array_equal(
        Graph(data).values(index), [[-1, 0.5], [0, 25]]
    )


@pytest.mark.parametrize(
    ("scales", "zero_points", "wanted"),
    [
        ([0.5], [-128], [[64, 63], [0, 127.5]]),
        ([0.5, 2], [-128, 7], [[64, -18], [0, 240]]),
    ],
)
def test_zero_points_count(scales, zero_points, wanted):
    steps = np.array([[0, -2], [-128, 127]], np.int8)
    data, index = _one_constant(
        steps, scales=scales, zero_points=zero_points, axis=1
    )
    np.testing.assert_array_equal(Graph(data).values(index), wanted)


@PRECISION
def test_constants_are_known_from_activations(precision):
    detector = tiny_detector.make(precision)
    graph = Graph(detector.data)
    found = {
        name
        for name, index in detector.tensors.items()
        if graph.is_constant(index)
    }
    wanted = {*_LAYERS, "boxes shape", "classes shape", "anchors"}
    assert found == wanted | {f"{name}_bias" for name in _LAYERS}


def test_an_empty_buffer_is_no_constant():
    # The schema allows a vector of no items; LiteRT takes it for none.
    maker = Maker()
    index = maker.tensor("image", (1, 3), buffer=maker.buffer(b""))
    graph = Graph(maker.data([index], [index]))
    assert not graph.is_constant(index)
    with pytest.raises(StructureError, match="must be constants"):
        graph.values(index)


@PRECISION
def test_convolutions_in_their_order(precision):
    detector = tiny_detector.make(precision)
    graph = Graph(detector.data)
    inputs = {
        "depthwise": "quantised image" if precision == "int8" else "image",
        "boxes": "depthwise out",
        "classes": "depthwise out",
    }
    operators = {
        "float32": {"depthwise": 0, "boxes": 1, "classes": 3},
        # Behind a DEQUANTIZE of the weights and one of the bias.
        "float16": {"depthwise": 2, "boxes": 5, "classes": 9},
        "int8": {"depthwise": 1, "boxes": 2, "classes": 5},
    }
    assert list(graph.convolutions()) == [
        Convolution(
            operators[precision][name],
            name == "depthwise",
            detector.tensors[inputs[name]],
            detector.tensors[name],
            detector.tensors[f"{name}_bias"],
        )
        for name in _LAYERS
    ]


def test_operations_by_their_codes():
    assert Graph(tiny_detector.make("int8").data).codes() == [
        _CODES.QUANTIZE,
        _CODES.DEPTHWISE_CONV_2D,
        _CODES.CONV_2D,
        _CODES.DEQUANTIZE,
        _CODES.RESHAPE,
        _CODES.CONV_2D,
        _CODES.DEQUANTIZE,
        _CODES.RESHAPE,
        _CODES.CUSTOM,
    ]


def test_activations_in_the_order_of_their_use():
    detector = tiny_detector.make("int8")
    graph = Graph(detector.data)
    names = [f"{name} out" for name in _LAYERS]
    assert graph.activations() == [
        detector.tensors[name] for name in ("quantised image", *names)
    ]


def test_inputs_come_before_outputs_and_constants_nowhere():
    maker = Maker()
    step = {"scales": [0.5], "zero_points": [1]}
    last, written, read, other = (
        maker.tensor(name, (3,), "int8", **step) for name in "dcab"
    )
    added = maker.constant("added", np.ones(3, np.int8), **step)
    maker.operator(_CODES.ADD, [read, other], [written])
    maker.operator(_CODES.ADD, [written, added, -1], [last])
    graph = Graph(maker.data([read, other], [last]))
    assert graph.activations() == [read, other, written, last]


@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_models_of_floats_have_no_such_activations(precision):
    assert Graph(tiny_detector.make(precision).data).activations() == []


def test_steps_of_activations_are_those_that_litert_reads():
    detector = tiny_detector.make("int8")
    graph = Graph(detector.data)
    interpreter = litert.Interpreter(model_content=detector.data)
    details = interpreter.get_tensor_details()
    for index in graph.activations():
        assert graph.quantisation(index) == details[index]["quantization"]
    np.testing.assert_allclose(
        graph.ranges(), list(tiny_detector.STEPS.values())
    )


def _convolution_of(weights, bias):
    """A graph of one convolution; `weights` and `bias` make its tensors."""
    maker = Maker()
    image = maker.tensor("image", (1, 4, 4, 3))
    written = maker.tensor("out", (1, 4, 4, 2))
    constants = [make(maker) for make in (weights, bias)]
    maker.operator(_CODES.CONV_2D, [image, *constants], [written])
    return Graph(maker.data([image], [written]))


def test_weights_that_the_graph_computes_are_refused():
    graph = _convolution_of(
        lambda maker: maker.tensor("computed", (2, 1, 1, 3)),
        lambda maker: maker.constant("bias", np.zeros(2, np.float32)),
    )
    (convolution,) = graph.convolutions()
    assert convolution.weights == 2
    with pytest.raises(StructureError, match="must be constants.*tensor 2,"):
        graph.values(convolution.weights)


def test_a_convolution_without_a_bias_is_refused():
    graph = _convolution_of(
        lambda maker: maker.constant("w", np.ones((2, 1, 1, 3), np.float32)),
        lambda maker: -1,
    )
    (convolution,) = graph.convolutions()
    with pytest.raises(StructureError, match="must be constants.*tensor -1,"):
        graph.values(convolution.bias)


def test_constants_of_other_types_are_refused():
    data, index = _one_constant(np.zeros((2, 1, 1, 3), np.uint8), scales=[1])
    with pytest.raises(StructureError, match="float32.*type 3 .*in tensor 0"):
        Graph(data).values(index)
