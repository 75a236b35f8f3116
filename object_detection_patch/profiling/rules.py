"""What one operation of each kind costs forward, backward and in memory.

As in the MobileTL paper (Chiang et al., AAAI 2023, Model Profiling) every
addition, multiplication, division, comparison, minimum and exponential is one
floating-point operation (FLOP). A sum of n products is n multiplications and
n - 1 additions. The paper does not print its counts of normalisation and
activation; ours follow the equations that each rule names.
"""

from __future__ import annotations

import abc
import dataclasses

from object_detection_patch.profiling.network import (
    Network,
    Operation,
    differentiable_inputs,
)

FLOAT_BITS = 32


class Rule(abc.ABC):
    """Costs of one kind of operation.

    `needed` is always the set of the operation's inputs that need a gradient,
    and never empty.
    """

    @abc.abstractmethod
    def forward(self, operation: Operation, network: Network) -> int:
        """FLOPs of the forward pass."""

    @abc.abstractmethod
    def backward(
        self, operation: Operation, network: Network, needed: frozenset[str]
    ) -> int:
        """FLOPs of the gradients of `needed`."""

    @abc.abstractmethod
    def kept(
        self, operation: Operation, needed: frozenset[str]
    ) -> dict[str, int]:
        """Tensor -> bits of each element kept for the backward pass.

        A mask, which is no tensor of the forward pass, is named after the
        output with `#mask` behind it.
        """


class Convolution(Rule):
    """Convolution, depthwise convolution or dense layer: (x, kernel).

    Each pass, forward, to the input and to the kernel, is as many products
    as the forward pass has, added up to the elements of its result.
    """

    def forward(self, operation: Operation, network: Network) -> int:
        return _sums(operation, network, operation.output)

    def backward(
        self, operation: Operation, network: Network, needed: frozenset[str]
    ) -> int:
        return sum(_sums(operation, network, name) for name in needed)

    def kept(
        self, operation: Operation, needed: frozenset[str]
    ) -> dict[str, int]:
        x, kernel = operation.inputs[:2]
        other = {x: kernel, kernel: x}
        return {other[name]: FLOAT_BITS for name in needed}


class Normalisation(Rule):
    """Batch normalisation: (x, gamma, beta).

    With the batch's statistics the equations of Ioffe and Szegedy (2015),
    Algorithm 1 and Section 3, x - mean computed once a pass: forward mean 1,
    variance 3, normalise 1, scale and shift 2; backward to x 8 (to the
    normalised x 1, variance 2, mean 1, x 4), to gamma 4, to beta 1. With
    frozen statistics one multiplication and one addition forward, and one
    multiplication to x (MobileTL, Eq. 1 and 2).

    Args:
      batch_statistics: whether mean and variance are the batch's.
    """

    def __init__(self, *, batch_statistics: bool) -> None:
        self._batch_statistics = batch_statistics

    def forward(self, operation: Operation, network: Network) -> int:
        each = 7 if self._batch_statistics else 2
        return each * network.elements[operation.output]

    def backward(
        self, operation: Operation, network: Network, needed: frozenset[str]
    ) -> int:
        to_x = 8 if self._batch_statistics else 1
        each = dict(zip(operation.inputs, (to_x, 4, 1), strict=False))
        elements = network.elements[operation.output]
        return elements * sum(each[name] for name in needed)

    def kept(
        self, operation: Operation, needed: frozenset[str]
    ) -> dict[str, int]:
        x, gamma = operation.inputs[:2]
        if gamma in needed or (self._batch_statistics and x in needed):
            return {x: FLOAT_BITS}
        return {}


@dataclasses.dataclass(frozen=True)
class Elementwise(Rule):
    """A function of each element of its first input.

    Args:
      flops: forward, for an element of the larger of input and output.
      gradient_flops: backward, for the same.
      mask_bits: kept of each element of the input as a mask.
      keeps_input: whether the input itself is kept, at 32 bits.
    """

    flops: int
    gradient_flops: int
    mask_bits: int = 0
    keeps_input: bool = False

    def forward(self, operation: Operation, network: Network) -> int:
        return self.flops * _larger(operation, network)

    def backward(
        self, operation: Operation, network: Network, needed: frozenset[str]
    ) -> int:
        return self.gradient_flops * _larger(operation, network)

    def kept(
        self, operation: Operation, needed: frozenset[str]
    ) -> dict[str, int]:
        if self.keeps_input:
            return {operation.inputs[0]: FLOAT_BITS}
        if self.mask_bits:
            return {f"{operation.output}#mask": self.mask_bits}
        return {}


class Sum(Rule):
    """Addition, also of a bias: gradients pass, and add up for a bias."""

    def forward(self, operation: Operation, network: Network) -> int:
        terms = len(operation.inputs) - 1
        return terms * network.elements[operation.output]

    def backward(
        self, operation: Operation, network: Network, needed: frozenset[str]
    ) -> int:
        elements = network.elements
        whole = elements[operation.output]
        return sum(whole - elements[n] for n in needed if elements[n] < whole)

    def kept(
        self, operation: Operation, needed: frozenset[str]
    ) -> dict[str, int]:
        return {}


class Product(Rule):
    """Elementwise product of two tensors, one of them perhaps broadcast."""

    def forward(self, operation: Operation, network: Network) -> int:
        return network.elements[operation.output]

    def backward(
        self, operation: Operation, network: Network, needed: frozenset[str]
    ) -> int:
        elements = network.elements
        whole = elements[operation.output]
        return sum(2 * whole - max(elements[n], 1) for n in needed)

    def kept(
        self, operation: Operation, needed: frozenset[str]
    ) -> dict[str, int]:
        first, second = operation.inputs[:2]
        other = {first: second, second: first}
        return {other[name]: FLOAT_BITS for name in needed}


class Custom(Rule):
    """A gradient written by hand: (value, differentiable inputs...).

    The value's own operations are counted where they stand, and one an
    element to make a mask, if one is kept. Backward is one operation an
    element for each input that needs a gradient.
    """

    def forward(self, operation: Operation, network: Network) -> int:
        if not operation.kept_bits:
            return 0
        return network.elements[operation.output]

    def backward(
        self, operation: Operation, network: Network, needed: frozenset[str]
    ) -> int:
        return len(needed) * network.elements[operation.output]

    def kept(
        self, operation: Operation, needed: frozenset[str]
    ) -> dict[str, int]:
        if not operation.kept_bits:
            return {}
        return {f"{operation.output}#mask": operation.kept_bits}


# ReLU6, Hard-Swish and their signed forms: the formulas of MobileTL, Table 2,
# which also has the bits; a clip at two ends keeps two bits an element. In
# the signed forms the comparison is made forward, where the mask is packed.
RULES: dict[str, Rule] = {
    "convolution": Convolution(),
    "normalisation": Normalisation(batch_statistics=True),
    "frozen_normalisation": Normalisation(batch_statistics=False),
    "relu": Elementwise(1, 2, mask_bits=1),
    "relu6": Elementwise(2, 3, mask_bits=2),
    "hard_sigmoid": Elementwise(4, 4, mask_bits=2),
    "hard_swish": Elementwise(5, 10, keeps_input=True),
    "signed_relu6": Elementwise(3, 1, mask_bits=1),
    "signed_hard_swish": Elementwise(6, 1, mask_bits=1),
    "sigmoid": Elementwise(4, 3, keeps_input=True),
    "mean": Elementwise(1, 1),
    # A sum or product with a constant.
    "constant": Elementwise(1, 1),
    "repeat": Elementwise(0, 1),
    "move": Elementwise(0, 0),
    "stop": Elementwise(0, 0),
    "other": Elementwise(1, 1, keeps_input=True),
    "add": Sum(),
    "multiply": Product(),
    "custom": Custom(),
}


def needed_inputs(
    operation: Operation, needing: frozenset[str]
) -> frozenset[str]:
    """The inputs that the operation sends a gradient to.

    None where it receives none, such as inside a gradient written by hand.
    """
    if operation.output not in needing:
        return frozenset()
    return needing.intersection(differentiable_inputs(operation))


def _sums(operation: Operation, network: Network, result: str) -> int:
    return 2 * operation.products - network.elements[result]


def _larger(operation: Operation, network: Network) -> int:
    elements = network.elements
    return max(elements[operation.inputs[0]], elements[operation.output])
