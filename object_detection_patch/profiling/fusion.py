"""Operations that are one function, although a graph has several."""

from __future__ import annotations

import dataclasses

from object_detection_patch.profiling.network import Network, Operation

# x + 3, ReLU6, times 1/6: how Keras writes the hard sigmoid.
_HARD_SIGMOID = ("constant", "relu6", "constant")


def with_hard_swish(network: Network) -> Network:
    """Every x * hard_sigmoid(x) as one Hard-Swish.

    Taken apart it would keep x and its hard sigmoid; the function itself
    keeps x alone, as the MobileTL paper counts it (Table 2).
    """
    makers = {operation.output: operation for operation in network.operations}
    dropped: set[str] = set()
    replaced: dict[str, Operation] = {}
    for operation in network.operations:
        found = _hard_swish(operation, makers)
        if found:
            x, steps = found
            dropped |= steps
            replaced[operation.output] = dataclasses.replace(
                operation, kind="hard_swish", inputs=(x,)
            )
    operations = tuple(
        replaced.get(operation.output, operation)
        for operation in network.operations
        if operation.output not in dropped
    )
    return dataclasses.replace(network, operations=operations)


def _hard_swish(
    operation: Operation, makers: dict[str, Operation]
) -> tuple[str, set[str]] | None:
    """(x, the tensors of its hard sigmoid) where this is a Hard-Swish."""
    if operation.kind != "multiply":
        return None
    for x, gate in (operation.inputs, operation.inputs[::-1]):
        steps, name = set(), gate
        for kind in _HARD_SIGMOID:
            maker = makers.get(name)
            if maker is None or maker.kind != kind:
                break
            steps.add(name)
            name = maker.inputs[0]
        else:
            if name == x:
                return x, steps
    return None
