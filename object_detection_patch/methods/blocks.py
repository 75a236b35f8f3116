"""The residual blocks of a functional Keras model, and the order to run them.

A block is the main path of a residual block: what its shortcut goes around.
Shortcut, addition and whatever follows the addition belong to no block.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from object_detection_patch.methods.block_layers import main_path_block


@dataclasses.dataclass(frozen=True, eq=False)
class Unit:
    """Nodes of a model's graph that run one after the other.

    Args:
      block: name of their block; None for a single node outside of blocks.
      nodes: Keras nodes, in the order to run them.
      outputs: ids of the tensors that others, or the model's caller, read.
    """

    block: str | None
    nodes: tuple[Any, ...]
    outputs: tuple[str, ...]

    @property
    def inputs(self) -> frozenset[str]:
        """Ids of the tensors that come from elsewhere."""
        own = {tensor for node in self.nodes for tensor in _written(node)}
        return frozenset(
            tensor
            for node in self.nodes
            for tensor in _read(node)
            if tensor not in own
        )


def find_units(model: Any) -> tuple[Unit, ...]:
    """A functional Keras model's graph, cut into blocks and what lies between.

    Returns:
      Units in an order in which they can run.
    Raises:
      ValueError: for a model that is not functional, or has no block.
    """
    nodes = list(_nodes(model))
    grouped: dict[Any, list[Any]] = {}
    for node, block in zip(nodes, _blocks(nodes), strict=True):
        grouped.setdefault(block or id(node), []).append(node)
    wanted = {str(id(tensor)) for tensor in model.outputs}
    units = [
        Unit(
            key if isinstance(key, str) else None,
            tuple(members),
            tuple(_outputs(members, nodes, wanted)),
        )
        for key, members in grouped.items()
    ]
    if not any(unit.block for unit in units):
        raise ValueError(
            "Routing needs a backbone with residual blocks, a MobileNetV2 or "
            f"a ResNet. Received: {model.name}, which has none."
        )
    return tuple(_in_order(units, {str(id(x)) for x in model.inputs}))


def _blocks(nodes: Sequence[Any]) -> list[str | None]:
    """The block of each node, by its layer's name or because it lies between
    layers of one: activations may have any name."""
    named = [main_path_block(node.layer) for node in nodes]
    above = _blocks_above(nodes, named, _read, _written)
    below = _blocks_above(nodes[::-1], named[::-1], _written, _read)[::-1]
    return [
        name or next(iter(before & after), None)
        for name, before, after in zip(named, above, below, strict=True)
    ]


def _blocks_above(
    nodes: Sequence[Any],
    named: Sequence[str | None],
    entry: Callable[[Any], Sequence[str]],
    exit_: Callable[[Any], Sequence[str]],
) -> list[set[str]]:
    """The blocks of nodes from which each node can be reached."""
    reached: dict[str, set[str]] = {}
    found = []
    for node, name in zip(nodes, named, strict=True):
        blocks = set().union(*(reached.get(key, set()) for key in entry(node)))
        found.append(blocks)
        for key in exit_(node):
            reached[key] = reached.get(key, set()) | blocks
            if name:
                reached[key].add(name)
    return found


def _nodes(model: Any) -> Iterator[Any]:
    # Keras 2 offers no public way to walk a functional model's graph.
    by_depth = getattr(model, "_nodes_by_depth", None)
    if by_depth is None:
        raise ValueError(
            "Routing needs a functional Keras model. Received: "
            f"{type(model).__name__}."
        )
    for depth in sorted(by_depth, reverse=True):
        yield from (node for node in by_depth[depth] if not node.is_input)


def _read(node: Any) -> Sequence[str]:
    return node.flat_input_ids


def _written(node: Any) -> Sequence[str]:
    return node.flat_output_ids


def _outputs(
    members: Sequence[Any], nodes: Sequence[Any], wanted: set[str]
) -> Iterator[str]:
    inside = set(map(id, members))
    elsewhere = wanted | {
        tensor
        for node in nodes
        if id(node) not in inside
        for tensor in _read(node)
    }
    for node in members:
        yield from (t for t in _written(node) if t in elsewhere)


def _in_order(units: Sequence[Unit], known: set[str]) -> Iterator[Unit]:
    waiting = list(units)
    while waiting:
        unit = next(unit for unit in waiting if unit.inputs <= known)
        waiting.remove(unit)
        known |= set(unit.outputs)
        yield unit
