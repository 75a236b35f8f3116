"""Writes a network down by hand, operation by operation."""

from __future__ import annotations

import math
from typing import Literal

from object_detection_patch.profiling.network import (
    Network,
    Operation,
    Parameter,
)

Train = Literal["all", "shift", "none"]


class Builder:
    """Collects operations on feature maps [batch, height, width, channels].

    Args:
      shape: of the input, whose gradient is wanted: training goes on below.
    """

    def __init__(self, shape: tuple[int, int, int, int]) -> None:
        self.shapes: dict[str, tuple[int, ...]] = {"input": shape}
        self._operations: list[Operation] = []
        self._parameters: dict[str, Parameter] = {}

    def network(self) -> Network:
        """What was written so far."""
        elements = {name: math.prod(s) for name, s in self.shapes.items()}
        elements |= {p.name: p.size for p in self._parameters.values()}
        return Network(
            tuple(self._operations),
            elements,
            self._parameters,
            wanted=frozenset({"input"}),
        )

    def convolution(
        self,
        name: str,
        x: str,
        filters: int,
        *,
        side: int = 1,
        depthwise: bool = False,
        bias: bool = False,
    ) -> str:
        """Stride 1, output as large as the input; returns the output."""
        *places, inputs = self.shapes[x]
        size = side * side * inputs * (1 if depthwise else filters)
        kernel = self._parameter(f"{name}/kernel", size)
        shape = (*places, filters)
        products = math.prod(places) * size
        y = self._add(name, "convolution", (x, kernel), shape, products)
        if bias:
            added = self._parameter(f"{name}/bias", filters)
            y = self._add(f"{name}/bias", "add", (y, added), shape)
        return y

    def normalisation(self, name: str, x: str, train: Train) -> str:
        """`all`: batch statistics, gamma and beta; `shift`: beta alone."""
        channels = self.shapes[x][-1]
        gamma = self._parameter(f"{name}/gamma", channels, train == "all")
        beta = self._parameter(f"{name}/beta", channels, train != "none")
        kind = "normalisation" if train == "all" else "frozen_normalisation"
        return self._add(name, kind, (x, gamma, beta), self.shapes[x])

    def function(
        self,
        name: str,
        kind: str,
        *inputs: str,
        shape: tuple[int, ...] | None = None,
    ) -> str:
        """An operation without parameters; of the first input's shape."""
        return self._add(name, kind, inputs, shape or self.shapes[inputs[0]])

    def _parameter(self, name: str, size: int, trained: bool = True) -> str:
        self._parameters[name] = Parameter(name, size, trained)
        return name

    def _add(
        self,
        name: str,
        kind: str,
        inputs: tuple[str, ...],
        shape: tuple[int, ...],
        products: int = 0,
    ) -> str:
        layer = name.partition("/")[0]
        self._operations.append(Operation(layer, kind, inputs, name, products))
        self.shapes[name] = shape
        return name
