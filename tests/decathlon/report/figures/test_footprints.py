"""footprints: every patch where its share says."""

import re

import numpy as np
import pytest

from object_detection_patch.decathlon.report.figures import style
from object_detection_patch.decathlon.report.figures.footprints import (
    footprint_figures,
)
from tests.decathlon.report import results as made
from tests.decathlon.report import svg_parts

_SHARES = {"BN_PATCH": (0.02, 0.02, 0.02), "SPOTPATCH": (0.025, 0.05, 0.03)}


@pytest.fixture(scope="module")
def figure():
    suite = made.suite(3)
    runs = [
        made.run(method, task.key, made.outcome(0.5, share=share))
        for method, shares in _SHARES.items()
        for task, share in zip(suite.tasks, shares, strict=True)
    ]
    runs.append(made.run("FINE_TUNING", "birds", made.outcome(0.9, share=1.0)))
    (figure,) = footprint_figures(made.of(suite, runs))
    return figure


def _marks(figure, method):
    colour = style.looks([method])[method].colour
    # The last mark is the legend's.
    return np.array(svg_parts.marks(figure.svg, colour))[:-1]


def test_marks_lie_in_proportion_to_the_shares(figure):
    base, patch = _marks(figure, "BN_PATCH"), _marks(figure, "SPOTPATCH")
    assert base.shape == patch.shape == (3, 2)
    assert np.ptp(base[:, 0]) < 0.01
    # Rows from top to bottom, the same for both.
    assert np.all(np.diff(base[:, 1]) > 10)
    np.testing.assert_allclose(base[:, 1], patch[:, 1])
    unit = patch[0, 0] - base[0, 0]  # of 0.5 percent
    np.testing.assert_allclose(
        (patch[:, 0] - base[:, 0]) / unit, [1, 6, 2], atol=0.01
    )


def test_the_words_have_every_number(figure):
    assert "BN_PATCH: birds 2.00, cars 2.00, coco 2.00" in figure.alternative
    assert "SPOTPATCH: birds 2.50, cars 5.00, coco 3.00" in figure.alternative


def test_what_ships_everything_is_left_out(figure):
    assert "FINE_TUNING" not in figure.alternative
    assert "FINE_TUNING" not in svg_parts.texts(figure.svg)
    assert not re.search(r"\b100\.00\b", figure.alternative)


def test_fine_tuning_alone_is_no_figure():
    runs = [made.run("FINE_TUNING", "birds", made.outcome(0.9, share=1.0))]
    assert list(footprint_figures(made.of(made.suite(), runs))) == []
