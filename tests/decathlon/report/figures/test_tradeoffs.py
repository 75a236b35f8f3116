"""tradeoffs and panels: points where cost and Score say."""

import math

import pytest

from object_detection_patch.decathlon.report.figures import style
from object_detection_patch.decathlon.report.figures.tradeoffs import (
    precision_figures,
    score_figures,
)
from tests.decathlon.report import results as made
from tests.decathlon.report import svg_parts

# Fine-tuning at 0.5: b = 0, so Score = 10000 mAP^2.
_MAPS = {"FINE_TUNING": 0.5, "BN_PATCH": 0.2, "SPOTPATCH": 0.4}
_SHARES = {"FINE_TUNING": 1.0, "BN_PATCH": 0.02, "SPOTPATCH": 0.04}
_BYTES = {"FINE_TUNING": 9_000_000, "BN_PATCH": 99_500, "SPOTPATCH": 199_500}


def _results(maps=_MAPS, tasks=("birds", "cars"), **more):
    suite = made.suite(len(tasks), tuple(_MAPS))
    runs = [
        made.run(
            method,
            task,
            made.outcome(
                value,
                share=_SHARES[method],
                file_bytes=_BYTES[method],
                int8=value - 0.1,
                **more,
            ),
        )
        for method, value in maps.items()
        for task in tasks
    ]
    return made.of(suite, runs, [made.base()])


def _marks(figure, method):
    """All but the legend's."""
    colour = style.looks([method])[method].colour
    return svg_parts.marks(figure.svg, colour)[:-1]


def test_footprint_and_score():
    footprint, _ = score_figures(_results())
    words = footprint.alternative
    assert "ours: FINE_TUNING 2.00 bases, Score 2,500;" in words
    assert "BN_PATCH 0.04 bases, Score 400;" in words
    assert "SPOTPATCH 0.08 bases, Score 1,600." in words
    # Two tasks are not the paper's nine.
    assert "paper" not in words
    points = {method: _marks(footprint, method) for method in _MAPS}
    ((left, low),) = points["BN_PATCH"]
    ((middle, high),) = points["SPOTPATCH"]
    ((right, top),) = points["FINE_TUNING"]
    assert (low - top) / (low - high) == pytest.approx(2100 / 1200, rel=0.01)
    assert (right - left) / (middle - left) == pytest.approx(
        math.log(2 / 0.04) / math.log(2), rel=0.01
    )


def test_the_paper_beside_nine_tasks():
    footprint, _ = score_figures(_results(tasks=made.TASKS))
    words = footprint.alternative
    assert "paper: FINE_TUNING 9.00 bases, Score 2,500;" in words
    assert "BN_PATCH 0.19 bases, Score 910;" in words
    assert "SPOTPATCH 0.35 bases, Score 1,858." in words
    assert "filled: ours, hollow: paper" in svg_parts.texts(footprint.svg)


def test_bytes_of_published_files():
    _, in_bytes = score_figures(_results())
    words = in_bytes.alternative
    # Two patches of 99,500 + 500 bytes; 40,000 of each are the class head's.
    assert f"BN_PATCH {200_000 / 1024:.2f} KiB, Score 400;" in words
    assert f"BN_PATCH {120_000 / 1024:.2f} KiB, Score 400;" in words
    assert "float32 files" in words


def test_bytes_of_files_that_are_not_published():
    _, in_bytes = score_figures(_results(on_phone=False))
    assert "not published" in in_bytes.alternative
    assert f"BN_PATCH {199_000 / 1024:.2f} KiB, Score 400;" in (
        in_bytes.alternative
    )


def test_both_precisions_measured():
    (figure,) = precision_figures(_results())
    words = figure.alternative
    nominal = 2 * 0.02 * made.BASE_PARAMETERS * 4 / 1024
    assert f"BN_PATCH {nominal:,.2f} KiB, Score 400" in words
    assert f"BN_PATCH {nominal / 4:,.2f} KiB, Score 400" in words
    # int8 loses 0.1 everywhere: b = -0.2, (0.1 + 0.2) / 1.2 squared.
    assert f"BN_PATCH {200_000 / 1024:.2f} KiB, Score 625" in words
    titles = [t for t in svg_parts.texts(figure.svg) if "easured" in t]
    assert titles == ["Measured: published files, models run in LiteRT"]


def test_without_models_there_is_the_nominal_half():
    (figure,) = precision_figures(_results(on_phone=False))
    assert "Nominal" in figure.alternative
    assert "Measured" not in figure.alternative


def test_without_fine_tuning_there_is_no_score():
    maps = {"BN_PATCH": 0.2, "SPOTPATCH": 0.4}
    assert list(score_figures(_results(maps))) == []
    assert list(precision_figures(_results(maps))) == []


def test_one_point_alone():
    figures = list(score_figures(_results({"FINE_TUNING": 0.5})))
    assert len(figures) == 2
    assert len(_marks(figures[0], "FINE_TUNING")) == 1
