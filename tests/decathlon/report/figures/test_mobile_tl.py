"""mAP against memory: marks whose areas are operations."""

from __future__ import annotations

import pytest

from object_detection_patch.decathlon.report.figures import mobile_tl
from object_detection_patch.decathlon.report.figures.mobile_tl import (
    mobile_tl_figures,
)
from object_detection_patch.decathlon.report.tables import mobile_tl as table
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


def test_areas_are_operations():
    rows = table.rows(table.comparison(made.results(), made.GIVEN))
    axis, close = mobile_tl._draw(rows).axes
    marks = [line for line in axis.lines if len(line.get_xdata()) == 1]
    sizes = [line.get_markersize() ** 2 for line in marks]

    assert [row.operations for row in rows] == [300, 100, 120, 400]
    assert sizes == pytest.approx(
        [max(sizes) * share for share in (0.75, 0.25, 0.3, 1.0)]
    )
    assert [line.get_xdata()[0] for line in marks] == [20, 40, 50, 100]
    assert [line.get_ydata()[0] for line in marks] == pytest.approx(
        [30, 45, 42, 50]
    )
    assert [line.get_xdata()[0] for line in close.lines] == [40, 50]


def test_without_results_there_is_no_figure():
    assert not list(mobile_tl_figures(made.results(without=("MOBILE_TL", ""))))
