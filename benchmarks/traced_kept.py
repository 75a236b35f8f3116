"""What the backward pass of a traced step reads of its forward pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import tensorflow as tf

# These hand a tensor on without a copy.
_ALIASES = ("CheckNumerics", "ExpandDims", "Identity", "Reshape", "Squeeze")
_ALIASES += ("StopGradient",)
# Held whether or not there is a backward pass.
_HELD = ("Const", "Placeholder", "ReadVariableOp")
# These read a shape, which is a constant once the step is compiled.
_SHAPES = ("Shape", "ShapeN")


def kept_bytes(loss: Callable[[], Any], variables: Sequence[Any]) -> int:
    """Bytes of all distinct tensors between the two halves of the graph.

    Weights and constants are left out, and tensors whose size is only known
    as the step runs, which are those of the matching of boxes.
    """
    forward: set[str] = set()

    @tf.function
    def step() -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            value = loss()
        graph = tf.compat.v1.get_default_graph()
        forward.update(operation.name for operation in graph.get_operations())
        found = tape.gradient(value, variables)
        return [tf.convert_to_tensor(g) for g in found if g is not None]

    outputs = step.get_concrete_function().outputs
    read = {
        _source(tensor).ref()
        for operation in _needed(output.op for output in outputs)
        if operation.name not in forward and operation.type not in _SHAPES
        for tensor in operation.inputs
        if tensor.op.name in forward
    }
    return sum(_bytes(reference.deref()) for reference in read)


def _needed(operations: Iterable[Any]) -> Iterable[Any]:
    """These operations and all that they wait for."""
    found: dict[str, Any] = {}
    waiting = list(operations)
    while waiting:
        operation = waiting.pop()
        if operation.name not in found:
            found[operation.name] = operation
            waiting += [tensor.op for tensor in operation.inputs]
            waiting += operation.control_inputs
    return found.values()


def _source(tensor: tf.Tensor) -> tf.Tensor:
    operation = tensor.op
    if operation.type in _ALIASES:
        return _source(operation.inputs[0])
    if operation.type == "IdentityN":
        return _source(operation.inputs[tensor.value_index])
    return tensor


def _bytes(tensor: tf.Tensor) -> int:
    size = tensor.shape.num_elements()
    if size is None or tensor.op.type in _HELD:
        return 0
    return size * tensor.dtype.size
