"""Takes operators of a model's graph apart, and puts them together."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ai_edge_litert import schema_py_generated as schema


def cut(
    source: Any,
    operators: Sequence[Any],
    inputs: Iterable[int],
    outputs: Iterable[int],
    name: str,
) -> tuple[Any, dict[int, int]]:
    """A subgraph of some operators, which are copied with their tensors.

    Args:
      source: SubGraphT that the operators are of.
      operators: OperatorT, in the order to run them.
      inputs, outputs: tensors of the source.

    Returns:
      SubGraphT, and number of a tensor in the source -> its number there.
    """
    inputs, outputs = list(map(int, inputs)), list(map(int, outputs))
    named = [
        index for one in operators for index in (*read(one), *written(one))
    ]
    numbers = {
        index: number
        for number, index in enumerate(
            dict.fromkeys([*inputs, *named, *outputs])
        )
    }
    found = schema.SubGraphT()
    found.name = name.encode()
    found.tensors = [copy.deepcopy(source.tensors[index]) for index in numbers]
    found.operators = [_renumbered(one, numbers) for one in operators]
    found.inputs = [numbers[index] for index in inputs]
    found.outputs = [numbers[index] for index in outputs]
    return found, numbers


def read(operator: Any) -> list[int]:
    """The tensors that an operator reads; optional ones that it has."""
    return [int(index) for index in operator.inputs if index >= 0]


def written(operator: Any) -> list[int]:
    """The tensors that an operator writes."""
    return list(map(int, operator.outputs))


def in_order(operators: Sequence[Any], known: Iterable[int]) -> Iterator[Any]:
    """Operators in an order to run them in, near the order given.

    Args:
      known: tensors that are there at first: inputs and constants.
    """
    waiting, there = list(operators), set(known)
    while waiting:
        ready = next(one for one in waiting if there.issuperset(read(one)))
        waiting.remove(ready)
        there.update(written(ready))
        yield ready


def between(operators: Sequence[Any], chosen: Sequence[Any]) -> list[Any]:
    """The chosen operators and all on a path from one of them to another.

    Args:
      operators: of a subgraph, in the order in which they run.
    """
    down = _reached(operators, chosen, read, written)
    up = _reached(operators[::-1], chosen, written, read)
    return [one for one in operators if id(one) in down & up]


def _reached(
    operators: Sequence[Any], chosen: Sequence[Any], entry: Any, exit_: Any
) -> set[int]:
    starts = set(map(id, chosen))
    tensors: set[int] = set()
    found = set()
    for one in operators:
        if id(one) in starts or tensors.intersection(entry(one)):
            found.add(id(one))
            tensors.update(exit_(one))
    return found


def _renumbered(operator: Any, numbers: dict[int, int]) -> Any:
    found = copy.deepcopy(operator)
    # An input of -1 is an optional one that is left out.
    found.inputs = [numbers.get(int(index), -1) for index in operator.inputs]
    found.outputs = [numbers[index] for index in written(operator)]
    return found
