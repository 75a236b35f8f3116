"""Costs of networks so small that a hand can count them."""

from __future__ import annotations

import numpy as np
import pytest

from object_detection_patch.profiling import costs
from object_detection_patch.profiling.network import (
    Network,
    Operation,
    Parameter,
)


def _dense(*trained: bool) -> Network:
    """y = (x a) b with x [2, 3], a [3, 4] and b [4, 5]."""
    sizes = {"x": 6, "a": 12, "y": 8, "b": 20, "z": 10}
    return Network(
        (
            Operation("first", "convolution", ("x", "a"), "y", 2 * 12),
            Operation("second", "convolution", ("y", "b"), "z", 2 * 20),
        ),
        sizes,
        {
            name: Parameter(name, sizes[name], is_trained)
            for name, is_trained in zip("ab", trained, strict=True)
        },
    )


def _rows(network, slots=2):
    return {row.name: row for row in costs.by_layer(network, slots=slots)}


def test_flops_of_a_product_of_matrices():
    """[2, 3] x [3, 4] is 8 sums of 3 products: 24 times, 16 plus."""
    rows = _rows(_dense(True, True))
    assert rows["first"].forward_flops == 24 + 16
    assert rows["second"].forward_flops == 40 + 30
    # x^T g: 12 sums of 2; g b^T: 8 sums of 5; y^T g: 20 sums of 2.
    assert rows["first"].backward_flops == 24 + 12
    assert rows["second"].backward_flops == (40 + 32) + (40 + 20)


def test_nothing_goes_back_below_what_trains():
    rows = _rows(_dense(False, True))
    assert rows["first"].backward_flops == 0
    assert rows["first"].kept_bytes == 0
    assert rows["second"].backward_flops == 40 + 20
    assert rows["second"].kept_bytes == 4 * 8


def test_a_frozen_layer_above_passes_gradients_and_keeps_nothing():
    rows = _rows(_dense(True, False))
    assert rows["second"].backward_flops == 40 + 32
    assert rows["second"].kept_bytes == 0
    assert rows["first"].kept_bytes == 4 * 6


@pytest.mark.parametrize("slots", [0, 1, 2])
def test_gradients_and_slots_are_of_trained_parameters(slots):
    row = _rows(_dense(False, True), slots)["second"]
    assert row.trained_parameters == 20
    assert row.gradient_bytes == 80
    assert row.optimizer_bytes == 80 * slots


def test_int8_parameters_take_a_byte():
    network = _dense(False, True)
    held = dict(network.parameters, a=Parameter("a", 12, False, bits=8))
    network = Network(network.operations, network.elements, held)
    assert _rows(network)["first"].parameter_bytes == 12


def test_a_tensor_that_two_layers_want_is_kept_once_and_sums_gradients():
    """x of 6 goes through a [3, 3] to h, which b and c both read."""
    sizes = {"x": 6, "a": 9, "h": 6, "b": 9, "c": 9, "l": 6, "r": 6, "s": 6}
    network = Network(
        (
            Operation("low", "convolution", ("x", "a"), "h", 18),
            Operation("left", "convolution", ("h", "b"), "l", 18),
            Operation("right", "convolution", ("h", "c"), "r", 18),
            Operation("sum", "add", ("l", "r"), "s"),
        ),
        sizes,
        {name: Parameter(name, 9, True) for name in "abc"},
    )
    rows = _rows(network)
    assert rows["left"].kept_bytes + rows["right"].kept_bytes == 4 * 6
    apart = rows["left"].backward_flops
    assert rows["right"].backward_flops == apart + 6
    assert rows["sum"].forward_flops == 6


def test_reshaping_costs_nothing_and_keeps_nothing_twice():
    network = Network(
        (
            Operation("low", "convolution", ("x", "a"), "h", 18),
            Operation("left", "convolution", ("h", "b"), "l", 18),
            Operation("shape", "move", ("h",), "flat"),
            Operation("right", "convolution", ("flat", "c"), "r", 18),
        ),
        {"x": 6, "h": 6, "flat": 6, "l": 6, "r": 6, "a": 9, "b": 9, "c": 9},
        {name: Parameter(name, 9, True) for name in "abc"},
    )
    rows = _rows(network)
    assert rows["shape"].forward_flops == 0
    assert costs.in_sum(rows.values()).kept_bytes == 4 * (6 + 6)


def test_temporary_memory_is_the_largest_and_holds_residuals():
    """h waits for the sum while the branch over it is computed."""
    network = Network(
        (
            Operation("low", "convolution", ("x", "a"), "h", 18),
            Operation("up", "convolution", ("h", "b"), "wide", 36),
            Operation("down", "convolution", ("wide", "c"), "d", 36),
            Operation("sum", "add", ("d", "h"), "s"),
        ),
        {
            **{"x": 6, "h": 6, "wide": 12, "d": 6, "s": 6},
            **{"a": 9, "b": 18, "c": 18},
        },
        {
            name: Parameter(name, size, False)
            for name, size in {"a": 9, "b": 18, "c": 18}.items()
        },
    )
    rows = _rows(network)
    assert rows["low"].temporary_bytes == 4 * (6 + 6)
    assert rows["up"].temporary_bytes == 4 * (6 + 12)
    assert rows["down"].temporary_bytes == 4 * (6 + 12 + 6)
    total = costs.in_sum(rows.values())
    assert total.temporary_bytes == 4 * 24
    assert total.kept_bytes == total.gradient_bytes == 0
    assert total.memory_bytes == 4 * (9 + 18 + 18) + 4 * 24


def test_a_bias_and_a_broadcast_factor_sum_their_gradients():
    """Against the number of additions that numpy makes of them."""
    network = Network(
        (
            Operation("bias", "add", ("x", "b"), "y"),
            Operation("scale", "multiply", ("y", "c"), "z"),
        ),
        {"x": 12, "b": 3, "y": 12, "c": 3, "z": 12},
        {name: Parameter(name, 3, True) for name in "bc"},
    )
    rows = _rows(network)
    gradient = np.ones((4, 3))
    additions = gradient.size - gradient.sum(0).size
    assert rows["bias"].backward_flops == additions
    # To y 12 products; to c 12 products and as many additions as above.
    assert rows["scale"].backward_flops == 12 + 12 + additions
    assert rows["scale"].kept_bytes == 4 * 12


def test_a_gradient_written_by_hand_passes_over_its_forward_pass():
    """y = f(x a), where f's own operations neither keep nor go back."""
    network = Network(
        (
            Operation("low", "convolution", ("x", "a"), "h", 18),
            Operation("high", "hard_swish", ("h",), "value"),
            Operation("high", "custom", ("value", "h"), "y", kept_bits=1),
        ),
        {"x": 6, "a": 9, "h": 6, "value": 6, "y": 6},
        {"a": Parameter("a", 9, True)},
    )
    row = _rows(network)["high"]
    assert row.kept_bytes == 1  # 6 bits
    assert row.backward_flops == 6
    assert row.forward_flops == 5 * 6 + 6
    assert _rows(network)["low"].kept_bytes == 4 * 6
