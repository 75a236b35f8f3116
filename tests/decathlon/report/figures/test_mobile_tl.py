"""mAP against memory: circles whose areas are operations."""

from __future__ import annotations

import math

import pytest

from object_detection_patch.decathlon.report.figures import mobile_tl
from object_detection_patch.decathlon.report.figures.mobile_tl import (
    mobile_tl_figures,
)
from tests.decathlon.report import mobile_tl_results as made
from tests.decathlon.report import svg_parts


@pytest.fixture(scope="module")
def figure():
    (found,) = mobile_tl_figures(made.results())
    return found


def test_the_words_have_every_number(figure):
    assert (
        "MOBILE_TL, exact_3: 42.0 with 50.0 MB and 120 MFLOPs."
        in figure.alternative
    )
    assert "FINE_TUNING: 50.0 with 100.0 MB" in figure.alternative
    assert "exact_3" in svg_parts.texts(figure.svg)


def test_areas_are_operations_and_memory_is_logarithmic():
    (axis, *_) = mobile_tl._draw(  # noqa: SLF001
        _rows := mobile_tl.mobile_tl.rows(
            mobile_tl.mobile_tl.comparison(made.results(), made.GIVEN)
        )
    ).axes
    circles = [line for line in axis.lines if line.get_marker() == "o"]
    sizes = [line.get_markersize() ** 2 for line in circles]

    assert [row.operations for row in _rows] == [300, 100, 120, 400]
    assert sizes == pytest.approx(
        [max(sizes) * share for share in (0.75, 0.25, 0.3, 1.0)]
    )
    assert axis.get_xscale() == "log"
    assert [line.get_xdata()[0] for line in circles] == [20, 40, 50, 100]
    assert all(math.isfinite(line.get_ydata()[0]) for line in circles)


def test_without_results_there_is_no_figure():
    assert not list(mobile_tl_figures(made.results(without=("MOBILE_TL", ""))))
