"""Whether two models are one graph: then their n-th activations are one."""

from __future__ import annotations

import dataclasses
import itertools

from ai_edge_litert import schema_py_generated as schema

from object_detection_patch.export.class_numbers import StructureError
from object_detection_patch.export.graph import Graph

_NAMES = {
    code: name
    for name, code in vars(schema.BuiltinOperator).items()
    if isinstance(code, int)
}


@dataclasses.dataclass(frozen=True)
class _Input:
    """A tensor that an operation reads.

    Args:
      shape: empty for an input that is left out.
      activation: its place among the graph's activations, or None.
    """

    shape: tuple[int, ...]
    activation: int | None

    def __str__(self) -> str:
        number = self.activation
        return f"{list(self.shape)}" + ("" if number is None else f" #{number}")


@dataclasses.dataclass(frozen=True)
class _Operation:
    code: int
    inputs: tuple[_Input, ...]

    def __str__(self) -> str:
        name = _NAMES.get(self.code, str(self.code))
        return f"{name}({', '.join(map(str, self.inputs))})"


def check_same_graph(graph: Graph, published: Graph) -> None:
    """Raises StructureError naming the first operation that differs.

    Compared are operators and what they read: shapes, and which activation
    it is. What the last one, the post-processing, writes is not looked at:
    its size is the number of detections, and nothing reads it.

    Args:
      graph: of a model that the converter has just made.
      published: of a published base or of a model patched from it, with as
        many classes.
    """
    pairs = itertools.zip_longest(_operations(graph), _operations(published))
    for number, (found, wanted) in enumerate(pairs):
        if found != wanted:
            raise StructureError(
                "The converter must build one graph for every model of a "
                f"base. Received: operation {number} is {found or 'absent'} "
                f"for these weights, {wanted or 'absent'} in the published "
                "base. Was the base published by another TensorFlow? Publish "
                "it again with this one."
            )


def _operations(graph: Graph) -> list[_Operation]:
    numbers = {tensor: n for n, tensor in enumerate(graph.activations())}
    return [
        _Operation(
            graph.code(operator),
            tuple(
                _Input(_shape(graph, int(index)), numbers.get(int(index)))
                for index in operator.inputs
            ),
        )
        for operator in graph.subgraph.operators
    ]


def _shape(graph: Graph, index: int) -> tuple[int, ...]:
    if index < 0:
        return ()
    shape = graph.tensor(index).shape
    return () if shape is None else tuple(map(int, shape))
