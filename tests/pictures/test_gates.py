"""Gate charts: area, height and ink of the bars, errors."""

import numpy as np
import pytest

from object_detection_patch import pictures
from object_detection_patch.pictures.colours import PALETTE


def gates(opened, size=1000, count=6):
    return [
        (f"layer_{i}", "backbone" if i < 4 else "fpn", i in opened, size)
        for i in range(count)
    ]


def inked(chart, colour):
    """Pixels of one palette colour, more or less: area of full bars."""
    return int(np.all(chart == np.array(colour), axis=-1).sum())


def test_open_gates_are_full_bars_in_their_place_s_colour():
    backbone, fpn = PALETTE[:2]
    closed = pictures.gate_chart(gates(()), title="t")
    one = pictures.gate_chart(gates({0}), title="t")
    three = pictures.gate_chart(gates({0, 1, 2}), title="t")
    last = pictures.gate_chart(gates({5}), title="t")
    areas = [inked(chart, backbone) for chart in (closed, one, three, last)]
    bar = areas[1] - areas[0]
    assert bar > 2000
    assert areas[2] - areas[0] == pytest.approx(3 * bar, rel=0.1)
    assert areas[3] == areas[0]
    assert inked(last, fpn) - inked(one, fpn) > 2000


def test_open_and_closed_differ_without_colour():
    def darkness(chart):
        return (255 - chart.astype(float).mean(axis=-1)).sum()

    def black(chart):
        return int((chart.max(axis=-1) < 30).sum())

    closed = pictures.gate_chart(gates(()), title="0000")
    opened = pictures.gate_chart(gates({2}), title="0000")
    assert darkness(opened) > 1.02 * darkness(closed)
    assert black(opened) - black(closed) > 20  # the mark under the bar


def test_height_of_a_bar_is_the_logarithm_of_its_parameters():
    def tallest(size):
        rows = [("a", "backbone", True, size), ("b", "fpn", False, 10**6)]
        chart = pictures.gate_chart(rows, title="t")
        full = np.all(chart == PALETTE[0], axis=-1)
        # Neither the legend's swatch nor the frame is this wide.
        rows_of_bar = np.flatnonzero(full.sum(axis=1) > 200)
        return rows_of_bar.max() - rows_of_bar.min()

    heights = [tallest(10**k) for k in (1, 3, 5)]
    steps = np.diff(heights)
    assert steps[0] == pytest.approx(steps[1], abs=3)
    assert steps[0] > 20


def test_comparison_stacks_charts_of_equal_width():
    rows = gates({1, 2})
    one = pictures.gate_comparison({"near": rows})
    two = pictures.gate_comparison({"near": rows, "far": gates({0})})
    assert one.shape[1] == two.shape[1]
    assert two.shape[0] > 1.3 * one.shape[0]
    assert one.dtype == np.uint8 and one.shape[2] == 3


def test_gate_charts_of_equal_input_are_equal():
    first = pictures.gate_chart(gates({1}), title="t")
    second = pictures.gate_chart(gates({1}), title="t")
    np.testing.assert_array_equal(first, second)


def test_71_layers_fit_without_names():
    few = pictures.gate_chart(gates({1}, count=30), title="t")
    many = pictures.gate_chart(gates({1}, count=71), title="t")
    assert many.shape[0] < few.shape[0]
    assert many.shape[1] == few.shape[1]


@pytest.mark.parametrize(
    ("charts", "message"),
    [
        ({}, "`charts` must hold at least one"),
        ({"near": []}, "needs a layer. Received: none, 'near'"),
        ({"near": gates((), size=0)}, "at least 1. Received: 0 for 'layer_0'"),
        (
            {"near": gates(()), "far": gates((), count=5)},
            r"'far' and 'near' differ in \['layer_5'\]",
        ),
        (
            {"near": gates(()), "far": gates(())[::-1]},
            "'far' and 'near' differ in another order",
        ),
    ],
)
def test_bad_gates(charts, message):
    with pytest.raises(ValueError, match=message):
        pictures.gate_comparison(charts)
