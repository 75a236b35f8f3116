"""A network's forward pass as a list of operations on named tensors."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True)
class Parameter:
    """A variable that operations read.

    Args:
      name: unique in its network.
      size: elements.
      trained: whether training gives it a gradient.
      bits: of one stored element; 8 for what is held in int8.
    """

    name: str
    size: int
    trained: bool
    bits: int = 32


@dataclasses.dataclass(frozen=True)
class Operation:
    """One operation of a forward pass.

    Args:
      layer: the row that its cost is counted in.
      kind: a key of `rules.RULES`.
      inputs: names of tensors and parameters, in the order of that rule.
      output: name of the tensor that it makes.
      products: multiplications of one forward pass, of a convolution.
      kept_bits: for a gradient written by hand, what it keeps of an element.
    """

    layer: str
    kind: str
    inputs: tuple[str, ...]
    output: str
    products: int = 0
    kept_bits: int = 0


@dataclasses.dataclass(frozen=True)
class Network:
    """Operations in the order in which they run.

    Args:
      operations: each tensor is made before it is read.
      elements: tensor or parameter name -> number of elements, for the whole
        batch.
      parameters: name -> parameter.
      wanted: inputs whose gradient somebody outside wants, as of a block
        inside a network that trains below it.
    """

    operations: tuple[Operation, ...]
    elements: Mapping[str, int]
    parameters: Mapping[str, Parameter]
    wanted: frozenset[str] = frozenset()

    def needing_gradient(self) -> frozenset[str]:
        """Tensors and parameters that the backward pass computes a gradient of.

        Those that a trained parameter or a wanted input came before, and
        from which gradients lead back from an output of the network.
        """
        return frozenset(self._after_trained() & self._sent_a_gradient())

    def _after_trained(self) -> set[str]:
        found = {p.name for p in self.parameters.values() if p.trained}
        found |= self.wanted
        for operation in self.operations:
            if found.intersection(differentiable_inputs(operation)):
                found.add(operation.output)
        return found

    def _sent_a_gradient(self) -> set[str]:
        read = {name for op in self.operations for name in op.inputs}
        found = {op.output for op in self.operations} - read
        for operation in reversed(self.operations):
            if operation.output in found:
                found.update(differentiable_inputs(operation))
        return found


def differentiable_inputs(operation: Operation) -> tuple[str, ...]:
    """Inputs that a gradient may reach.

    A gradient written by hand (`custom`) passes over the value that its
    forward pass computed, which is the first input.
    """
    if operation.kind == "stop":
        return ()
    if operation.kind == "custom":
        return operation.inputs[1:]
    return operation.inputs
