"""A point for each training and task, as far right as its mAP."""

from __future__ import annotations

import pytest

from object_detection_patch.decathlon.report.figures import style
from object_detection_patch.decathlon.report.figures.joint import joint_figures
from tests.decathlon.report import joint_results, svg_parts
from tests.decathlon.report import results as made

_VALUES = {"PRIVATE_NONE": (0.2, 0.5), "PRIVATE_BATCH_NORM": (0.3, 0.6)}


@pytest.fixture(scope="module")
def figure():
    runs = [
        *joint_results.jointly(_VALUES),
        *joint_results.independently((0.4, 0.8)),
    ]
    (found,) = joint_figures(joint_results.of(runs))
    return found


def test_points_lie_where_their_map_is(figure):
    looks = style.looks(["BN_PATCH", "FINE_TUNING"])
    (x30, y), (x60, _), (x45, _), _legend = svg_parts.marks(
        figure.svg, looks["BN_PATCH"].colour
    )
    (x40, same_y), (x80, _), _average, _legend = svg_parts.marks(
        figure.svg, looks["FINE_TUNING"].colour
    )

    a_point = (x60 - x30) / 30
    assert (x40 - x30) / a_point == pytest.approx(10, abs=0.1)
    assert (x80 - x60) / a_point == pytest.approx(20, abs=0.1)
    assert (x45 - x30) / a_point == pytest.approx(15, abs=0.1)
    assert y == pytest.approx(same_y, abs=0.1)


def test_the_words_have_every_number(figure):
    assert (
        "PRIVATE_NONE: 20.00 at birds, 50.00 at cars, 35.00 at average"
        in figure.alternative
    )
    texts = svg_parts.texts(figure.svg)
    assert {"birds", "cars", "average", "PRIVATE_NONE"} <= set(texts)


def test_without_a_joint_result_there_is_no_figure():
    alone = joint_results.of(joint_results.independently((0.4, 0.8)))

    assert list(joint_figures(alone)) == []
    assert list(joint_figures(made.whole(made.suite(2)))) == []
