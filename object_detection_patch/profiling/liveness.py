"""What is alive beside parameters and kept activations while a layer runs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from object_detection_patch.profiling.network import (
    Network,
    Operation,
    differentiable_inputs,
)

_BYTES = 4


def same_memory(network: Network) -> dict[str, str]:
    """Tensor -> the earlier tensor or parameter whose values it holds.

    Of operations that move values without changing their number.
    """
    same: dict[str, str] = {}
    for operation in network.operations:
        first, output = operation.inputs[0], operation.output
        moved = operation.kind == "move" and len(operation.inputs) == 1
        if moved and network.elements[first] == network.elements[output]:
            same[output] = same.get(first, first)
        elif operation.kind == "custom":
            same[output] = same.get(first, first)
    return same


def alive_bytes(
    network: Network, kept: Collection[str]
) -> Iterator[tuple[Operation, int]]:
    """(operation, bytes alive while it runs), forward, then backward.

    Forward these are its inputs and output and what a later operation still
    reads, residual connections among it. Backward they are gradients: each
    lives from the last reader of its tensor back to the operation that made
    it. Gradients of parameters are counted apart.

    Args:
      kept: tensors that are kept for the backward pass, counted apart.
    """
    same = same_memory(network)
    held = {same.get(name, name) for name in kept} | set(network.parameters)
    yield from _forward(network, same, held)
    yield from _backward(network, same)


def _forward(
    network: Network, same: Mapping[str, str], held: Collection[str]
) -> Iterator[tuple[Operation, int]]:
    touched = [
        _memories((*op.inputs, op.output), same, held)
        for op in network.operations
    ]
    yield from _intervals(network, network.operations, touched)


def _backward(
    network: Network, same: Mapping[str, str]
) -> Iterator[tuple[Operation, int]]:
    needing = network.needing_gradient()
    operations = [op for op in network.operations if op.output in needing]
    operations.reverse()
    touched = [
        _memories(
            [
                name
                for name in (*differentiable_inputs(op), op.output)
                if name in needing
            ],
            same,
            network.parameters,
        )
        for op in operations
    ]
    yield from _intervals(network, operations, touched)


def _memories(
    names: Iterable[str], same: Mapping[str, str], held: Collection[str]
) -> set[str]:
    return {same.get(name, name) for name in names} - set(held)


def _intervals(
    network: Network,
    operations: Sequence[Operation],
    touched: Sequence[set[str]],
) -> Iterator[tuple[Operation, int]]:
    """Bytes alive at each operation, from first to last touch."""
    last = {name: i for i, names in enumerate(touched) for name in names}
    alive: set[str] = set()
    for i, (operation, names) in enumerate(
        zip(operations, touched, strict=True)
    ):
        alive |= names
        yield operation, _BYTES * sum(network.elements[n] for n in alive)
        alive = {name for name in alive if last[name] > i}
