"""What convolutions are made of, found in a detector that is made by hand."""

from __future__ import annotations

import dataclasses
import types

import numpy as np
import pytest
import tiny_detector

from object_detection_patch.export import mapping
from object_detection_patch.export.class_numbers import StructureError
from object_detection_patch.export.graph import Graph
from object_detection_patch.export.mapping import Sources
from object_detection_patch.tflite.tensor_map import TensorMapError

_EPSILON = 0.01
_WANTED = (
    Sources("backbone/depthwise_kernel", "backbone/norm", None),
    Sources("box_head/kernel", None, "box_head/bias"),
    Sources("class_head/kernel", None, None),
)


def _values(seed=0):
    """Tensors as Keras has them; a BatchNorm follows the first kernel."""
    random = np.random.default_rng(seed)
    shapes = {
        "backbone/depthwise_kernel": (2, 2, 3, 1),
        "backbone/norm/gamma": (3,),
        "backbone/norm/beta": (3,),
        "backbone/norm/moving_mean": (3,),
        "backbone/norm/moving_variance": (3,),
        "box_head/kernel": (1, 1, 3, 4),
        "box_head/bias": (4,),
        "class_head/kernel": (1, 1, 3, 3),
    }
    return {
        name: random.uniform(0.5, 2, shape).astype(np.float32)
        for name, shape in shapes.items()
    }


def _folded(values):
    """What a converter makes of them, in TFLite's shapes."""
    norm = {
        name.rpartition("/")[2]: value
        for name, value in values.items()
        if name.startswith("backbone/norm/")
    }
    scale = norm["gamma"] / np.sqrt(norm["moving_variance"] + _EPSILON)
    kernel = values["backbone/depthwise_kernel"][..., 0]
    return tiny_detector.Numbers(
        depthwise=(kernel * scale)[None].astype(np.float32),
        depthwise_bias=norm["beta"] - norm["moving_mean"] * scale,
        boxes=values["box_head/kernel"].transpose(3, 0, 1, 2),
        boxes_bias=values["box_head/bias"],
        classes=values["class_head/kernel"].transpose(3, 0, 1, 2),
        classes_bias=np.zeros(3, np.float32),
    )


def _probe(values, precision="float32", **changed):
    numbers = dataclasses.replace(_folded(values), **changed)
    data = tiny_detector.make(precision, numbers=numbers).data
    layer = types.SimpleNamespace(epsilon=_EPSILON)
    hosts = types.SimpleNamespace(
        batch_norms=[types.SimpleNamespace(name="backbone/norm", layer=layer)],
        biases=[],
    )
    return types.SimpleNamespace(graph=Graph(data), values=values, hosts=hosts)


@pytest.mark.parametrize("precision", tiny_detector.PRECISIONS)
def test_each_is_found(precision):
    probe = _probe(_values(), precision)
    mapped = mapping.map_probe(probe)
    assert mapped.sources == _WANTED
    assert mapped.margin > 3
    names = mapped.kernel_names()
    assert set(names.values()) == {one.kernel for one in _WANTED}
    for constant, name in names.items():
        assert probe.graph.values(constant).size == probe.values[name].size


@pytest.mark.parametrize(
    "name", ["backbone/other/kernel", "tower/depthwise_kernel"]
)
def test_a_kernel_that_is_nowhere_is_named(name):
    values = _values()
    probe = _probe(values)
    probe.values = values | {name: np.ones((5, 5, 2, 1), np.float32)}
    with pytest.raises(StructureError, match=rf"none for \['{name}'\]"):
        mapping.map_probe(probe)


def test_a_bias_that_is_nowhere_is_named():
    probe = _probe(_values())
    probe.hosts.biases.append(types.SimpleNamespace(name="fpn/bias"))
    with pytest.raises(StructureError, match=r"none for \['fpn/bias'\]"):
        mapping.map_probe(probe)


def test_an_offset_that_is_not_folded_is_refused():
    probe = _probe(_values(), depthwise_bias=np.zeros(3, np.float32))
    with pytest.raises(StructureError, match="zeros where backbone/norm"):
        mapping.map_probe(probe)


def test_weights_of_nothing_are_refused():
    other = np.random.default_rng(8).normal(0, 1, (4, 1, 1, 3))
    probe = _probe(_values(), boxes=other.astype(np.float32))
    with pytest.raises(TensorMapError, match="like none of them"):
        mapping.map_probe(probe)


def test_probes_map_alike():
    mapping.check_alike(
        *(mapping.map_probe(_probe(_values(seed))).sources for seed in (1, 2))
    )


@pytest.mark.parametrize(
    ("others", "message"),
    [
        (_WANTED[:2], "Received: 3 and 2 convolutions"),
        (
            (*_WANTED[:2], Sources("class_head/kernel", None, "a/bias")),
            "bias=None.*bias='a/bias'.* in convolution 2",
        ),
    ],
)
def test_probes_that_map_otherwise_are_refused(others, message):
    with pytest.raises(StructureError, match=message):
        mapping.check_alike(_WANTED, others)
