"""Cost of training by layer and in sum, before any training."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterable, Iterator

from object_detection_patch.profiling import liveness
from object_detection_patch.profiling.network import Network, Operation
from object_detection_patch.profiling.rules import RULES, needed_inputs


@dataclasses.dataclass(frozen=True)
class Cost:
    """FLOPs of one training step, and bytes that it holds.

    Args:
      name: layer, or the network.
      forward_flops: of the forward pass.
      backward_flops: of the backward pass, with sums of gradients that meet
        where a tensor was read more than once.
      parameters: number of values that operations read.
      trained_parameters: those that training changes.
      parameter_bytes: of all parameters, trained or frozen.
      kept_bytes: activations and masks kept for the backward pass. A tensor
        that two layers want is kept once, with the first of them.
      gradient_bytes: one float32 for each trained parameter.
      optimizer_bytes: the optimizer's slots.
      temporary_bytes: the rest that is alive while the layer runs, forward
        or backward; in sum the largest, as layers run one after the other.
    """

    name: str
    forward_flops: int = 0
    backward_flops: int = 0
    parameters: int = 0
    trained_parameters: int = 0
    parameter_bytes: int = 0
    kept_bytes: int = 0
    gradient_bytes: int = 0
    optimizer_bytes: int = 0
    temporary_bytes: int = 0

    @property
    def flops(self) -> int:
        return self.forward_flops + self.backward_flops

    @property
    def memory_bytes(self) -> int:
        return (
            self.parameter_bytes
            + self.kept_bytes
            + self.gradient_bytes
            + self.optimizer_bytes
            + self.temporary_bytes
        )


def by_layer(network: Network, *, slots: int) -> list[Cost]:
    """The cost of each layer, in the order in which they first run.

    Args:
      slots: float32 values that the optimizer holds for each trained
        parameter: 2 for Adam, 1 for momentum, 0 for plain SGD.
    """
    rows: dict[str, collections.Counter[str]] = {}
    for entries in (
        _flops(network),
        _parameters(network, slots),
        _kept(network),
        _temporary(network),
    ):
        for layer, field, amount in entries:
            row = rows.setdefault(layer, collections.Counter())
            if field == "temporary_bytes":
                row[field] = max(row[field], amount)
            else:
                row[field] += amount
    return [Cost(name, **row) for name, row in rows.items()]


def in_sum(rows: Iterable[Cost], name: str = "sum") -> Cost:
    """All layers as one: sums, and of the temporary bytes the largest."""
    rows = list(rows)
    fields = [f.name for f in dataclasses.fields(Cost) if f.name != "name"]
    totals = {
        field: sum(getattr(row, field) for row in rows) for field in fields
    }
    totals["temporary_bytes"] = max(
        (row.temporary_bytes for row in rows), default=0
    )
    return Cost(name, **totals)


_Entry = tuple[str, str, int]


def _flops(network: Network) -> Iterator[_Entry]:
    needing = network.needing_gradient()
    seen: collections.Counter[str] = collections.Counter()
    for operation in network.operations:
        rule = RULES[operation.kind]
        forward = rule.forward(operation, network)
        yield operation.layer, "forward_flops", forward
        needed = needed_inputs(operation, needing)
        if needed:
            backward = rule.backward(operation, network, needed)
            backward += _meeting(network, needed, seen)
            yield operation.layer, "backward_flops", backward


def _meeting(
    network: Network, needed: frozenset[str], seen: collections.Counter[str]
) -> int:
    """Additions where a tensor's second and later readers send gradients."""
    again = sum(network.elements[name] for name in needed if seen[name])
    seen.update(needed)
    return again


def _parameters(network: Network, slots: int) -> Iterator[_Entry]:
    for layer, name in _first_readers(network, network.parameters):
        parameter = network.parameters[name]
        yield layer, "parameters", parameter.size
        yield layer, "parameter_bytes", parameter.size * parameter.bits // 8
        if parameter.trained:
            yield layer, "trained_parameters", parameter.size
            yield layer, "gradient_bytes", 4 * parameter.size
            yield layer, "optimizer_bytes", 4 * slots * parameter.size


def _first_readers(
    network: Network, names: Iterable[str]
) -> Iterator[tuple[str, str]]:
    left = set(names)
    for operation in network.operations:
        for name in operation.inputs:
            if name in left:
                left.remove(name)
                yield operation.layer, name


def _kept(network: Network) -> Iterator[_Entry]:
    for operation, name, bits in kept_tensors(network):
        # A mask has an element for each of the output.
        elements = network.elements.get(
            name, network.elements[operation.output]
        )
        yield operation.layer, "kept_bytes", -(-elements * bits // 8)


def kept_tensors(network: Network) -> Iterator[tuple[Operation, str, int]]:
    """(operation, tensor or mask, bits of an element), each kept once.

    Parameters are in memory anyway, and so is what only changes the shape of
    a tensor that is kept.
    """
    needing = network.needing_gradient()
    same = liveness.same_memory(network)
    done = set(network.parameters)
    for operation in network.operations:
        needed = needed_inputs(operation, needing)
        if not needed:
            continue
        kept = RULES[operation.kind].kept(operation, needed)
        for name, bits in kept.items():
            memory = same.get(name, name)
            if memory not in done:
                done.add(memory)
                yield operation, name, bits


def _temporary(network: Network) -> Iterator[_Entry]:
    kept = {name for _, name, _ in kept_tensors(network)}
    for operation, alive in liveness.alive_bytes(network, kept):
        yield operation.layer, "temporary_bytes", alive
