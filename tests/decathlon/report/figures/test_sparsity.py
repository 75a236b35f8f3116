"""sparsity: three numbers for each lambda, over the same tasks."""

import pytest

from object_detection_patch.decathlon.report.figures import style
from object_detection_patch.decathlon.report.figures.sparsity import (
    sparsity_figures,
)
from tests.decathlon.report import results as made
from tests.decathlon.report import svg_parts

# label -> task -> (mAP, share, open gates); 1e-4 is the main experiment's.
_RUNS = {
    "1e-3": {"birds": (0.4, 0.02, 0), "cars": (0.6, 0.04, 71)},
    "1e-4": {"birds": (0.5, 0.03, 10), "cars": (0.7, 0.05, 71)},
    "1e-5": {"birds": (0.6, 0.04, 71), "cars": (0.6, 0.05, 71)},
}


def _results(runs=_RUNS):
    made_runs = [
        made.run(
            "SPOTPATCH",
            task,
            made.outcome(value, share=share, opened=made.gates(opened)),
            experiment="main" if label == "1e-4" else "sparsity",
            variant="" if label == "1e-4" else label,
        )
        for label, by_task in runs.items()
        for task, (value, share, opened) in by_task.items()
    ]
    return made.of(made.suite(2), made_runs)


def test_the_numbers_are_averages_and_sums():
    (figure,) = sparsity_figures(_results())
    words = figure.alternative
    assert "average: 50.00 at 1e-3, 57.04 at 1e-4, 100.00 at 1e-5." in words
    assert "sum: 6.00 at 1e-3, 8.00 at 1e-4, 9.00 at 1e-5." in words
    assert "average: 50.00 at 1e-3, 60.00 at 1e-4, 60.00 at 1e-5." in words
    assert "birds: 40.00 at 1e-3, 50.00 at 1e-4, 60.00 at 1e-5" in words


def test_points_lie_where_their_numbers_are():
    (figure,) = sparsity_figures(_results())
    colour = style.looks(["SPOTPATCH"])["SPOTPATCH"].colour
    heights = [y for _, y in svg_parts.marks(figure.svg, colour)]
    assert len(heights) == 9
    first, second, third = heights[3:6]  # footprints 6, 8 and 9
    assert (first - third) / (first - second) == pytest.approx(1.5, rel=0.01)
    first, second, third = heights[6:]  # mAPs 50, 60 and 60
    assert first > second == pytest.approx(third)


def test_averages_are_over_the_tasks_that_every_lambda_has():
    runs = {**_RUNS, "1e-5": {"birds": _RUNS["1e-5"]["birds"]}}
    (figure,) = sparsity_figures(_results(runs))
    assert "average: 40.00 at 1e-3, 50.00 at 1e-4, 60.00 at 1e-5." in (
        figure.alternative
    )


def test_without_a_task_that_every_lambda_has():
    runs = {
        "1e-3": {"birds": _RUNS["1e-3"]["birds"]},
        "1e-4": {"cars": _RUNS["1e-4"]["cars"]},
    }
    assert list(sparsity_figures(_results(runs))) == []


def test_a_suite_without_the_experiment():
    results = made.whole(made.suite(2, sparsity=False))
    assert list(sparsity_figures(results)) == []
