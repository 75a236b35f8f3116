"""A converted model -> skeleton and vectors (tflite/FORMAT.md, The layout)."""

from __future__ import annotations

import dataclasses
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from object_detection_patch.export.graph import Graph
from object_detection_patch.tflite.limits import SKELETON_ALIGNMENT
from object_detection_patch.tflite.sidecar import Activation

METADATA_NAME = b"TFLITE_METADATA"
_FILE_IDENTIFIER = b"TFL3"
# Short constants (shapes) stay in the skeleton: they are structure.
_LONG_BYTES = 64
# Slots of the schema's tables: Buffer.data, QuantizationParameters.scale and
# .zero_point.
_DATA_SLOT = 4
_SCALE_SLOT = 8
_ZERO_POINT_SLOT = 10


@dataclasses.dataclass(frozen=True)
class Key:
    """What a vector is: `data`, `scales` or `zero_points` of a tensor.

    The model metadata are the `data` of tensor None.
    """

    kind: str
    tensor: int | None


@dataclasses.dataclass(frozen=True)
class Skeleton:
    """A model whose long vectors have been taken out.

    Args:
      data: the flatbuffer; each link in it is yet to be written.
      links: what each link leads to -> its position.
      vectors: what each vector is -> its items.
      activations: in the order of `Graph.activations`.
    """

    data: bytes
    links: dict[Key, int]
    vectors: dict[Key, np.ndarray]
    activations: tuple[Activation, ...]


def take_apart(graph: Graph, *, names: dict[int, str]) -> Skeleton:
    """Separates a model; `graph` is changed on the way.

    Args:
      names: constant -> its name in the result. Other tensors but inputs and
        outputs lose theirs, which mean nothing and change between runs.
    """
    activations = graph.activations()
    _tidy(graph, names)
    external = _external_constants(graph)
    vectors = _take_vectors(graph, external)
    builder = flatbuffers.Builder(1024)
    builder.Finish(graph.model.Pack(builder), _FILE_IDENTIFIER)
    data = bytes(builder.Output())
    data += bytes(-len(data) % SKELETON_ALIGNMENT)
    root = schema.Model.GetRootAs(data, 0)
    return Skeleton(
        data,
        _links(root, graph, external),
        vectors,
        tuple(_activation(root, index) for index in activations),
    )


def _tidy(graph: Graph, names: dict[int, str]) -> None:
    _own_buffers(graph)
    _order_outputs(graph)
    kept = {*map(int, graph.subgraph.inputs), *map(int, graph.subgraph.outputs)}
    for index in range(graph.tensors):
        tensor = graph.tensor(index)
        if index not in kept:
            tensor.name = names.get(index, "").encode()
        if tensor.quantization is not None:
            # Of the calibration; stale as soon as a patch is applied.
            tensor.quantization.min = None
            tensor.quantization.max = None
    model = graph.model
    _drop_conversion_metadata(model)
    metadata = schema.MetadataT()
    metadata.name = METADATA_NAME
    metadata.buffer = len(model.buffers)
    model.metadata.append(metadata)
    model.buffers.append(schema.BufferT())


def _drop_conversion_metadata(model: Any) -> None:
    """Removes what differs from run to run: the converter's notes."""
    kept = []
    for entry in model.metadata or []:
        if entry.name == b"CONVERSION_METADATA":
            model.buffers[entry.buffer].data = None
        else:
            kept.append(entry)
    model.metadata = kept


def _own_buffers(graph: Graph) -> None:
    """Constants that the converter let share a buffer get one each."""
    seen: set[int] = set()
    for index in range(graph.tensors):
        tensor = graph.tensor(index)
        shared = graph.model.buffers[tensor.buffer]
        if tensor.buffer in seen and shared.data is not None:
            own = schema.BufferT()
            own.data = shared.data
            tensor.buffer = len(graph.model.buffers)
            graph.model.buffers.append(own)
        seen.add(int(tensor.buffer))


def _order_outputs(graph: Graph) -> None:
    """Locations, categories, scores, count: what detector APIs expect."""
    last = graph.subgraph.operators[-1]
    if sorted(map(int, last.outputs)) == sorted(
        map(int, graph.subgraph.outputs)
    ):
        graph.subgraph.outputs = last.outputs


def _external_constants(graph: Graph) -> list[int]:
    found = []
    for index in range(graph.tensors):
        data = graph.data(index)
        is_shape = graph.tensor(index).type == schema.TensorType.INT32 and (
            graph.tensor(index).quantization is None
            or graph.tensor(index).quantization.scale is None
        )
        if data is not None and not (is_shape and len(data) <= _LONG_BYTES):
            found.append(index)
    return found


def _take_vectors(graph: Graph, external: list[int]) -> dict[Key, np.ndarray]:
    """Replaces each external vector by one of a single item."""
    vectors: dict[Key, np.ndarray] = {}
    for index in external:
        buffer = graph.model.buffers[graph.tensor(index).buffer]
        vectors[Key("data", index)] = np.asarray(buffer.data, np.uint8)
        buffer.data = np.zeros(1, np.uint8)
        quantization = graph.tensor(index).quantization
        if quantization is None or quantization.scale is None:
            continue
        scales = np.asarray(quantization.scale, "<f4")
        vectors[Key("scales", index)] = scales
        zero_points = np.zeros(len(scales), "<i8")
        zero_points[:] = quantization.zeroPoint
        vectors[Key("zero_points", index)] = zero_points
        quantization.scale = np.ones(1, np.float32)
        quantization.zeroPoint = np.zeros(1, np.int64)
    metadata = graph.model.buffers[-1]
    metadata.data = np.zeros(1, np.uint8)
    vectors[Key("data", None)] = metadata.data
    return vectors


def _links(root: Any, graph: Graph, external: list[int]) -> dict[Key, int]:
    links = {}
    for index in external:
        buffer = root.Buffers(int(graph.tensor(index).buffer))
        links[Key("data", index)] = _field(buffer, _DATA_SLOT)
        subgraph, number = graph.place(index)
        tensor = root.Subgraphs(subgraph).Tensors(number)
        quantization = tensor.Quantization()
        if quantization is not None and quantization.ScaleLength():
            links[Key("scales", index)] = _field(quantization, _SCALE_SLOT)
            links[Key("zero_points", index)] = _field(
                quantization, _ZERO_POINT_SLOT
            )
    metadata = root.Buffers(root.BuffersLength() - 1)
    links[Key("data", None)] = _field(metadata, _DATA_SLOT)
    return links


def _activation(root: Any, index: int) -> Activation:
    quantization = root.Subgraphs(0).Tensors(index).Quantization()
    return Activation(
        _first_item(quantization, _SCALE_SLOT),
        _first_item(quantization, _ZERO_POINT_SLOT),
    )


# The generated readers keep their table in `_tab`, the only way to positions.
def _field(table: Any, slot: int) -> int:
    inner = table._tab  # noqa: SLF001
    return int(inner.Pos + inner.Offset(slot))


def _first_item(table: Any, slot: int) -> int:
    inner = table._tab  # noqa: SLF001
    return int(inner.Vector(inner.Offset(slot)))
