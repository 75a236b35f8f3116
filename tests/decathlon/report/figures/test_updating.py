"""updating: a line for each method and one for the bases."""

import re

from object_detection_patch.decathlon.report.figures import style
from object_detection_patch.decathlon.report.figures.updating import (
    updating_figures,
)
from tests.decathlon.report import results as made
from tests.decathlon.report import svg_parts

_MAPS = {"coco_10": 0.3, "coco_20": 0.4, "coco_80": 0.6}


def _results(bases=True):
    suite = made.suite(3)
    runs = [
        made.run(
            "SPOTPATCH",
            "coco",
            made.outcome(value),
            experiment="updating",
            variant=key,
            base=key,
        )
        for key, value in _MAPS.items()
    ]
    runs.append(
        made.run(
            "BN_PATCH",
            "coco",
            None,
            experiment="updating",
            variant="coco_10",
        )
    )
    trained = [made.base("coco_10", "coco", percent=10, coco=0.125)]
    return made.of(suite, runs, trained if bases else ())


def test_points_lie_where_their_map_is():
    (figure,) = updating_figures(_results())
    colour = style.looks(["SPOTPATCH"])["SPOTPATCH"].colour
    *points, _legend = svg_parts.marks(figure.svg, colour)
    (x10, y10), (x20, y20), (x80, y80) = points
    # Nothing ran on the base of 40 percent, whose tick stays.
    assert abs((x80 - x20) / (x20 - x10) - 2) < 0.01
    assert abs((y80 - y10) / (y20 - y10) - 3) < 0.01
    assert y80 < y10
    ticks = [t for t in svg_parts.texts(figure.svg) if t.endswith(" %")]
    assert ticks == ["10 %", "20 %", "40 %", "80 %"]


def test_the_words_have_what_ran():
    (figure,) = updating_figures(_results())
    assert "parts of coco" in figure.title
    assert "base, not patched: 12.50 at 10 %;" in figure.alternative
    assert (
        "SPOTPATCH: 30.00 at 10 %, 40.00 at 20 %, 60.00 at 80 %."
        in figure.alternative
    )
    assert not re.search("BN_PATCH", figure.alternative)


def test_bases_alone_are_no_figure():
    results = made.of(made.suite(3), (), _results().bases.values())
    assert list(updating_figures(results)) == []


def test_a_suite_without_the_experiment():
    results = made.whole(made.suite(3, updating=False))
    assert list(updating_figures(results)) == []
