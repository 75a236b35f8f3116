"""Reads a network's operations off the TensorFlow graph of its forward pass.

Nothing is listed by hand: whatever lies between images or variables and the
outputs is an operation, the computing of patched kernels too. An operation
that has no rule of its own counts as one FLOP an element each way, and keeps
its input.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from object_detection_patch.profiling import fusion
from object_detection_patch.profiling.network import (
    Network,
    Operation,
    Parameter,
)

_CONVOLUTIONS = ("Conv2D", "DepthwiseConv2dNative", "MatMul")
_KINDS = {
    **dict.fromkeys(("Add", "AddV2", "AddN", "BiasAdd", "Sub"), "add"),
    **{"Mul": "multiply", "Relu": "relu", "Relu6": "relu6"},
    **{"Sigmoid": "sigmoid", "Mean": "mean", "StopGradient": "stop"},
    **dict.fromkeys(("Tile", "Pack", "ResizeNearestNeighbor"), "repeat"),
    **dict.fromkeys(
        ("Identity", "Reshape", "Squeeze", "ExpandDims", "Cast", "ConcatV2")
        + ("Pad", "PadV2", "Split", "StridedSlice", "Slice", "Transpose"),
        "move",
    ),
}
_KEPT_BITS = re.compile(r"/keeps_(\d+)_bits?(?:_\d+)?/")


def network_of(
    graph: Any,
    outputs: Sequence[Any],
    *,
    parameters: Mapping[int, Parameter],
    layer_names: Iterable[str],
) -> Network:
    """The network that makes `outputs`.

    Args:
      graph: `FuncGraph` of a traced forward pass with known shapes.
      outputs: its tensors that a loss will read.
      parameters: id of a variable's handle -> parameter.
      layer_names: of Keras layers, which become the rows of a profile.
    """
    return _Reader(graph, parameters, layer_names).read(outputs)


class _Reader:
    def __init__(
        self,
        graph: Any,
        parameters: Mapping[int, Parameter],
        layer_names: Iterable[str],
    ) -> None:
        self._graph = graph
        self._layer_names = sorted(layer_names, key=len, reverse=True)
        self._handles = {
            inside.name: parameters[id(outside)]
            for outside, inside in graph.captures
            if id(outside) in parameters
        }
        self._names: dict[str, str] = {}
        self._elements: dict[str, int] = {}
        self._parameters: dict[str, Parameter] = {}
        self._operations: list[Operation] = []

    def read(self, outputs: Sequence[Any]) -> Network:
        wanted = _reached(outputs)
        for node in self._graph.get_operations():
            if node.name not in wanted:
                continue
            if node.type == "Placeholder":
                self._add_input(node)
            elif node.type == "ReadVariableOp":
                self._add_parameter(node)
            elif any(i.name in self._names for i in node.inputs):
                self._add_operation(node)
        return fusion.with_hard_swish(
            Network(tuple(self._operations), self._elements, self._parameters)
        )

    def _add_input(self, node: Any) -> None:
        (tensor,) = node.outputs
        if tensor.dtype.is_floating:
            self._name(tensor, tensor.name)

    def _add_parameter(self, node: Any) -> None:
        parameter = self._handles.get(node.inputs[0].name)
        if parameter is not None:
            self._parameters[parameter.name] = parameter
            self._name(node.outputs[0], parameter.name)

    def _name(self, tensor: Any, name: str) -> None:
        self._names[tensor.name] = name
        self._elements[name] = math.prod(tensor.shape.as_list())

    def _add_operation(self, node: Any) -> None:
        tensors = [i for i in node.inputs if i.name in self._names]
        kind = _kind(node, len(tensors))
        if kind in ("normalisation", "frozen_normalisation", "convolution"):
            # Their inputs have fixed places; a gamma may be a constant.
            tensors = list(node.inputs)
            for tensor in tensors:
                if tensor.name not in self._names:
                    self._name(tensor, tensor.name)
        inputs = tuple(self._names[t.name] for t in tensors)
        for tensor in node.outputs[: _useful_outputs(node)]:
            self._name(tensor, tensor.name)
            self._operations.append(
                Operation(
                    layer=self._layer(node.name),
                    kind=kind,
                    inputs=inputs,
                    output=tensor.name,
                    products=_products(node),
                    kept_bits=_kept_bits(node),
                )
            )

    def _layer(self, scope: str) -> str:
        for name in self._layer_names:
            if f"/{name}/" in f"/{scope}":
                return name
        return scope.rpartition("/")[0] or scope


def _reached(outputs: Sequence[Any]) -> set[str]:
    reached: set[str] = set()
    waiting = [tensor.op for tensor in outputs]
    while waiting:
        node = waiting.pop()
        if node.name not in reached:
            reached.add(node.name)
            waiting.extend(tensor.op for tensor in node.inputs)
    return reached


def _kind(node: Any, variable_inputs: int) -> str:
    """The key of `rules.RULES` for one node.

    Args:
      variable_inputs: how many of its inputs are no constants.
    """
    if node.type in _CONVOLUTIONS:
        return "convolution"
    if node.type == "FusedBatchNormV3":
        training = node.get_attr("is_training")
        return "normalisation" if training else "frozen_normalisation"
    if node.type == "IdentityN":
        return "custom"
    kind = _KINDS.get(node.type, "other")
    if kind in ("add", "multiply") and variable_inputs < 2:
        return "constant"
    return kind


def _useful_outputs(node: Any) -> int:
    """A BatchNorm's other outputs are statistics; an IdentityN's, inputs."""
    return len(node.outputs) if node.type == "Split" else 1


def _products(node: Any) -> int:
    """Multiplications of a convolution, those with padding among them."""
    if node.type not in _CONVOLUTIONS:
        return 0
    elements = math.prod(node.outputs[0].shape.as_list())
    kernel = node.inputs[1].shape.as_list()
    if node.type == "MatMul":
        return elements * kernel[1 if node.get_attr("transpose_b") else 0]
    return elements * math.prod(
        kernel[:3] if node.type == "Conv2D" else kernel[:2]
    )


def _kept_bits(node: Any) -> int:
    """What a hand-written gradient says, in its scope, that it keeps."""
    found = _KEPT_BITS.search(node.name)
    return int(found[1]) if found and node.type == "IdentityN" else 0
