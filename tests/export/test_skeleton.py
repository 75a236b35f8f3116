"""Models taken apart and put together again, by what LiteRT makes of both.

`_joined` is written from tflite/FORMAT.md, The layout, without ours.
"""

from __future__ import annotations

import struct

import numpy as np
import pytest
import tiny_detector
from ai_edge_litert import interpreter as litert
from ai_edge_litert import schema_py_generated as schema
from tiny_model import Maker

from object_detection_patch.export.graph import Graph
from object_detection_patch.export.skeleton import Key, take_apart

PRECISION = pytest.mark.parametrize("precision", tiny_detector.PRECISIONS)
_OUTPUTS = ("locations", "categories", "scores", "count")


def _joined(skeleton, contents=None):
    """Skeleton and vectors as a file; `contents` replaces some of them."""
    model = bytearray(skeleton.data)
    vectors = skeleton.vectors | (contents or {})
    for key in skeleton.vectors:
        model += bytes(-(len(model) + 4) % 16)
        link, at = skeleton.links[key], len(model)
        struct.pack_into("<I", model, link, at - link)
        model += struct.pack("<I", len(vectors[key])) + vectors[key].tobytes()
    return bytes(model)


def _apart(data, names=None):
    return take_apart(Graph(data), names=names or {})


def _ran(data, seed=0):
    """Outputs of a model by name, for a drawn input."""
    interpreter = litert.Interpreter(model_content=data, num_threads=1)
    interpreter.allocate_tensors()
    (read,) = interpreter.get_input_details()
    drawn = np.random.default_rng(seed).uniform(-1, 1, read["shape"])
    if read["dtype"] == np.int32:
        drawn = 100 * drawn
    interpreter.set_tensor(read["index"], drawn.astype(read["dtype"]))
    interpreter.invoke()
    return {
        output["name"]: interpreter.get_tensor(output["index"])
        for output in interpreter.get_output_details()
    }


def _assert_same(found, wanted):
    assert list(found) == list(wanted)
    for name, value in wanted.items():
        np.testing.assert_array_equal(found[name], value)


@pytest.mark.parametrize("share", [False, True])
@PRECISION
def test_the_joined_model_computes_the_same(precision, share):
    data = tiny_detector.make(precision, share=share).data
    joined = _joined(_apart(data))
    assert _ran(data)["count"] == tiny_detector.MAX_DETECTIONS
    for seed in range(3):
        _assert_same(_ran(joined, seed), _ran(data, seed))


@PRECISION
def test_vectors_hold_the_constants_and_their_steps(precision):
    detector = tiny_detector.make(precision)
    interpreter = litert.Interpreter(model_content=detector.data)
    details = interpreter.get_tensor_details()
    wanted = {}
    for name in ("depthwise", "boxes", "classes"):
        for index in (
            detector.tensors[name],
            detector.tensors[f"{name}_bias"],
        ):
            wanted["data", index] = interpreter.get_tensor(index)
            step = details[index]["quantization_parameters"]
            if precision == "int8":
                wanted["scales", index] = step["scales"]
                zeros = step["zero_points"].astype(np.int64)
                wanted["zero_points", index] = zeros
    anchors = detector.tensors["anchors"]
    wanted["data", anchors] = tiny_detector.anchors()
    wanted["data", None] = np.zeros(1, np.uint8)
    found = _apart(detector.data).vectors
    assert {(key.kind, key.tensor) for key in found} == set(wanted)
    sizes = {"data": 1, "scales": 4, "zero_points": 8}
    for (kind, tensor), values in wanted.items():
        items = found[Key(kind, tensor)]
        assert items.tobytes() == values.tobytes()
        assert items.itemsize == sizes[kind]


@PRECISION
def test_positions_are_aligned_and_apart(precision):
    skeleton = _apart(tiny_detector.make(precision).data)
    assert len(skeleton.data) % 16 == 0
    assert set(skeleton.links) == set(skeleton.vectors)
    words = list(skeleton.links.values())
    for activation in skeleton.activations:
        assert activation.zero_point_position % 8 == 0
        words.append(activation.scale_position)
        words.append(activation.zero_point_position)
        words.append(activation.zero_point_position + 4)
    assert all(word % 4 == 0 for word in words)
    assert len(set(words)) == len(words)
    assert 0 < min(words) and max(words) + 4 <= len(skeleton.data)


@PRECISION
def test_each_link_leads_to_its_vector(precision):
    detector = tiny_detector.make(precision, share=True)
    skeleton = _apart(detector.data)
    numbers = {
        key: np.full(len(items), number, items.dtype)
        for number, (key, items) in enumerate(skeleton.vectors.items(), 1)
    }
    root = schema.Model.GetRootAs(_joined(skeleton, numbers), 0)
    for key, items in numbers.items():
        np.testing.assert_array_equal(_read(root, key), items)


def _read(root, key):
    """A vector of a file, by the readers that the schema generated."""
    if key.tensor is None:
        (entry,) = (root.Metadata(i) for i in range(root.MetadataLength()))
        assert entry.Name() == b"TFLITE_METADATA"
        return root.Buffers(entry.Buffer()).DataAsNumpy()
    tensor = root.Subgraphs(0).Tensors(key.tensor)
    if key.kind == "data":
        return root.Buffers(tensor.Buffer()).DataAsNumpy()
    step = tensor.Quantization()
    is_scales = key.kind == "scales"
    return step.ScaleAsNumpy() if is_scales else step.ZeroPointAsNumpy()


def test_steps_of_activations_lie_at_their_positions():
    detector = tiny_detector.make("int8")
    skeleton = _apart(detector.data)
    assert [
        (
            struct.unpack_from("<f", skeleton.data, at.scale_position)[0],
            struct.unpack_from("<q", skeleton.data, at.zero_point_position)[0],
        )
        for at in skeleton.activations
    ] == [
        (np.float32(scale), zero_point)
        for scale, zero_point in tiny_detector.STEPS.values()
    ]


def test_steps_written_there_are_what_litert_reads():
    detector = tiny_detector.make("int8")
    graph = Graph(detector.data)
    tensors = graph.activations()
    skeleton = take_apart(graph, names={})
    model = bytearray(_joined(skeleton))
    for number, at in enumerate(skeleton.activations):
        struct.pack_into("<f", model, at.scale_position, 2.0 ** -(number + 1))
        struct.pack_into("<q", model, at.zero_point_position, number - 9)
    details = litert.Interpreter(
        model_content=bytes(model)
    ).get_tensor_details()
    assert [details[index]["quantization"] for index in tensors] == [
        (0.5, -9),
        (0.25, -8),
        (0.125, -7),
        (0.0625, -6),
    ]


def test_shared_constants_get_a_vector_each():
    detector = tiny_detector.make("float32", share=True)
    biases = [detector.tensors[f"{n}_bias"] for n in ("depthwise", "classes")]
    tensors = Graph(detector.data).subgraph.tensors
    assert len({int(tensors[index].buffer) for index in biases}) == 1
    skeleton = _apart(detector.data)
    wanted = {}
    for number, index in enumerate(biases):
        values = np.float32([number, 2, 3])
        wanted[Key("data", index)] = np.frombuffer(values.tobytes(), np.uint8)
    interpreter = litert.Interpreter(model_content=_joined(skeleton, wanted))
    for number, index in enumerate(biases):
        np.testing.assert_array_equal(
            interpreter.get_tensor(index), [number, 2, 3]
        )


@PRECISION
def test_a_skeleton_holds_structure_alone(precision):
    one, other = (
        tiny_detector.make(
            precision, numbers=tiny_detector.random_numbers(seed)
        )
        for seed in range(2)
    )
    first, second = _apart(one.data), _apart(other.data)
    assert first.data == second.data
    assert (first.links, first.activations) == (
        second.links,
        second.activations,
    )


@pytest.mark.parametrize(("items", "is_taken"), [(16, False), (17, True)])
def test_short_lists_of_integers_stay(items, is_taken):
    maker = Maker()
    read = maker.tensor("in", (items,), "int32")
    added = maker.constant("added", np.arange(items, dtype=np.int32))
    written = maker.tensor("out", (items,), "int32")
    options = schema.AddOptionsT()
    code = schema.BuiltinOperator.ADD
    maker.operator(code, [read, added], [written], options)
    data = maker.data([read], [written])
    skeleton = _apart(data)
    assert (Key("data", added) in skeleton.vectors) == is_taken
    _assert_same(_ran(_joined(skeleton)), _ran(data))


def _shifted(zero_point):
    """An int8 model that adds a constant of this zero point, and which."""
    maker = Maker()
    step = {"scales": [1 / 64], "zero_points": [-3]}
    read, written = (maker.tensor(name, (1, 5)) for name in ("in", "out"))
    whole = [maker.tensor(name, (1, 5), "int8", **step) for name in "ab"]
    added = maker.constant(
        "added",
        np.array([[-128, -5, 0, 5, 127]], np.int8),
        scales=[1 / 255],
        zero_points=[zero_point],
    )
    codes, options = schema.BuiltinOperator, schema.AddOptionsT()
    maker.operator(codes.QUANTIZE, [read], whole[:1])
    maker.operator(codes.ADD, [whole[0], added], whole[1:], options)
    maker.operator(codes.DEQUANTIZE, whole[1:], [written])
    return maker.data([read], [written]), added


def test_zero_points_of_constants_are_kept():
    data, added = _shifted(-128)
    skeleton = _apart(data)
    _assert_same(_ran(_joined(skeleton)), _ran(data))
    assert skeleton.vectors[Key("zero_points", added)].tolist() == [-128]
    assert skeleton.data == _apart(_shifted(5)[0]).data


def test_names_are_those_that_are_given():
    detector = tiny_detector.make("float32")
    kernel = detector.tensors["boxes"]
    graph = Graph(detector.data)
    skeleton = take_apart(graph, names={kernel: "box_head/kernel"})
    details = litert.Interpreter(
        model_content=_joined(skeleton)
    ).get_tensor_details()
    names = {entry["index"]: entry["name"] for entry in details}
    kept = {detector.tensors[name]: name for name in ("image", *_OUTPUTS)}
    kept[kernel] = "box_head/kernel"
    assert {index: name for index, name in names.items() if name} == kept


def test_what_differs_between_conversions_is_dropped():
    skeletons = []
    for note, spread in ((b"Tuesday", 1.0), (b"Wednesday, 10:15", 2.0)):
        maker = Maker()
        step = {"scales": [0.5], "zero_points": [0]}
        read, written = (
            maker.tensor(name, (1, 3), "int8", **step) for name in "ab"
        )
        between = maker.tensor(str(note), (1, 3), "int8", **step)
        for tensor in maker.subgraph.tensors:
            tensor.quantization.max = [spread]
        maker.operator(schema.BuiltinOperator.RELU, [read], [between])
        maker.operator(schema.BuiltinOperator.RELU, [between], [written])
        maker.add_metadata("CONVERSION_METADATA", note)
        maker.add_metadata("min_runtime_version", b"1.5.0")
        skeletons.append(_apart(maker.data([read], [written])).data)
    assert skeletons[0] == skeletons[1]
    assert b"day" not in skeletons[0]
    assert b"CONVERSION" not in skeletons[0]
    assert b"1.5.0" in skeletons[0]


def test_outputs_come_in_the_order_of_the_last_operation():
    scrambled = tiny_detector.make("float32", outputs=(3, 1, 2, 0)).data
    assert list(_ran(scrambled)) == [
        "count",
        "categories",
        "scores",
        _OUTPUTS[0],
    ]
    found = _ran(_joined(_apart(scrambled)))
    _assert_same(found, _ran(tiny_detector.make("float32").data))


def test_other_outputs_keep_their_order():
    data = tiny_detector.make("float32", outputs=(2, 0)).data
    _assert_same(_ran(_joined(_apart(data))), _ran(data))
