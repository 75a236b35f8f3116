"""costs: bars as long as their numbers."""

import pytest

from object_detection_patch.decathlon.report.figures import style
from object_detection_patch.decathlon.report.figures.costs import cost_figures
from tests.decathlon.report import results as made
from tests.decathlon.report import svg_parts


def _results(seconds):
    suite = made.suite(1)
    runs = [
        made.run(
            method,
            "birds",
            made.outcome(0.5),
            seconds=phases,
            peak_bytes=(index + 1) * 2**30,
        )
        for index, (method, phases) in enumerate(seconds.items())
    ]
    return made.of(suite, runs)


def _widths(figure, method):
    colour = style.looks([method])[method].colour
    boxes = map(svg_parts.box, svg_parts.paths(figure.svg, colour))
    return [right - left for left, _, right, _ in boxes]


def test_bars_are_as_long_as_their_numbers():
    seconds = {"BN_PATCH": {"train": 30.0}, "SPOTPATCH": {"train": 75.0}}
    (figure,) = cost_figures(_results(seconds))
    (short, small), (long, large) = (
        _widths(figure, "BN_PATCH"),
        _widths(figure, "SPOTPATCH"),
    )
    assert long / short == pytest.approx(75 / 30, rel=0.01)
    assert large / small == pytest.approx(2, rel=0.01)
    assert {"30", "75", "1,024", "2,048"} <= set(svg_parts.texts(figure.svg))
    assert "seconds of training" in svg_parts.texts(figure.svg)
    assert "BN_PATCH 30.0 s and 1,024 MiB" in figure.alternative
    assert "SPOTPATCH 75.0 s and 2,048 MiB" in figure.alternative


def test_runs_that_are_not_split_into_phases():
    (figure,) = cost_figures(_results({"BN_PATCH": {"everything": 40.0}}))
    assert "seconds of a run" in svg_parts.texts(figure.svg)
    assert "BN_PATCH 40.0 s" in figure.alternative


def test_no_seconds_at_all():
    (figure,) = cost_figures(_results({"BN_PATCH": {}}))
    assert "BN_PATCH 0.0 s" in figure.alternative


def test_nothing_done_is_no_figure():
    failed = made.of(made.suite(), [made.run("BN_PATCH", "birds", None)])
    assert list(cost_figures(failed)) == []
