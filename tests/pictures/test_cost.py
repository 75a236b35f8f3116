"""The cost chart: places, colours and ticks of the marks, errors."""

import numpy as np
import pytest

from object_detection_patch import pictures
from object_detection_patch.pictures.colours import PALETTE

POINTS = {"near": {"FINE_TUNING": (0.9, 9000), "SPOTPATCH": (0.8, 400)}}


def inked(chart, colour):
    """Pixels of one palette colour, more or less: area of its marks."""
    return int(np.all(chart == np.array(colour), axis=-1).sum())


def test_a_method_keeps_its_colour_in_every_panel():
    def chart(far):
        near = {"a": (0.5, 1000), "b": (0.6, 1000)}
        return pictures.cost_scatter(
            {"near": near, "far": {far: (0.5, 1000)}}, title="t"
        )

    a, b = chart("a"), chart("b")
    # A mark in the legend, one in the near panel, and one more or not.
    assert inked(a, PALETTE[0]) > 1.4 * inked(b, PALETTE[0])
    assert inked(b, PALETTE[1]) > 1.4 * inked(a, PALETTE[1])
    assert not inked(b, PALETTE[2])


def test_points_move_with_bytes_in_log_and_with_map():
    def centre(value, file_bytes):
        chart = pictures.cost_scatter(
            {
                "near": {
                    "moving": (value, file_bytes),
                    "low": (0.1, 1_000),
                    "high": (0.1, 10_000_000),
                }
            },
            title="t",
        )
        full = np.all(chart == PALETTE[0], axis=-1)
        return np.median(np.argwhere(full[: chart.shape[0] * 3 // 4]), axis=0)

    at = centre(0.5, 10_000)
    right, further = centre(0.5, 100_000), centre(0.5, 1_000_000)
    assert right[1] - at[1] == pytest.approx(further[1] - right[1], abs=2)
    assert right[1] - at[1] > 20
    assert centre(0.9, 10_000)[0] < at[0] - 20


def test_every_cost_chart_has_labelled_ticks():
    # Between two decades there is no labelled tick unless limits are widened.
    near = pictures.cost_scatter({"t": {"a": (0.5, 30_000)}}, title="t")
    far = pictures.cost_scatter({"t": {"a": (0.5, 30_000_000)}}, title="t")
    assert (near != far).any()  # they differ in nothing but the labels


def test_cost_charts_of_equal_input_are_equal():
    points = {"near": {"a": (0.5, 1000), "b": (0.6, 2000)}}
    np.testing.assert_array_equal(
        pictures.cost_scatter(points, title="t"),
        pictures.cost_scatter(points, title="t"),
    )


def test_four_panels_take_two_lines():
    three = pictures.cost_scatter(
        {str(i): POINTS["near"] for i in range(3)}, title="t"
    )
    four = pictures.cost_scatter(
        {str(i): POINTS["near"] for i in range(4)}, title="t"
    )
    assert four.shape[1] == three.shape[1]
    assert four.shape[0] > three.shape[0]


@pytest.mark.parametrize("panels", [{}, {"near": {}}])
def test_nothing_to_draw(panels):
    with pytest.raises(ValueError, match=f"{len(panels)} panels, empty"):
        pictures.cost_scatter(panels, title="t")


@pytest.mark.parametrize("value", [-0.1, 1.1, np.nan, 64.4])
def test_map_in_percent_is_refused(value):
    message = r"mAP must lie in \[0, 1\].*'a' on 'near'"
    with pytest.raises(ValueError, match=message):
        pictures.cost_scatter({"near": {"a": (value, 9)}}, title="t")


@pytest.mark.parametrize("file_bytes", [0, -5, float("nan")])
def test_bytes_must_be_positive(file_bytes):
    with pytest.raises(ValueError, match="at least 1. Received.*'a' on 'near'"):
        pictures.cost_scatter({"near": {"a": (0.5, file_bytes)}}, title="t")
