"""All figures of results that are whole, and of what is left of them."""

import dataclasses
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from object_detection_patch.decathlon.report.figures import build_figures
from tests.decathlon.report import results as made
from tests.decathlon.report import svg_parts

_WHOLE = made.whole(made.suite(3))
_KEYS = [
    "footprint_by_task",
    "score_and_footprint",
    "score_and_bytes",
    "patched_layers",
    "gates_by_place",
    "updating",
    "score_and_precision",
    "sparsity",
    "cost",
]


def _check(figure):
    root = svg_parts.parsed(figure.svg)
    assert list(root)[1].text == figure.alternative
    assert len(re.findall(r"\d", figure.alternative)) > 3
    width, height = map(float, root.get("viewBox").split()[2:])
    # As wide as a phone in its own units, so that 8.5 stays 8.5 pixels.
    assert 300 < width < 340
    assert 60 < height < 800
    for text in root.iter(f"{svg_parts.SVG}text"):
        size = re.search(
            r"font-size: ([\d.]+)px|(\b[\d.]+)px", text.get("style")
        )
        assert float(size[1] or size[2]) >= 8
        assert 0 <= float(text.get("x")) <= width
        assert 0 <= float(text.get("y")) <= height


def test_everything_has_run():
    sections = build_figures(_WHOLE)
    figures = [figure for section in sections for figure in section.figures]
    assert [figure.key for figure in figures] == _KEYS
    for figure in figures:
        _check(figure)


def test_again_the_same_bytes():
    assert build_figures(_WHOLE) == build_figures(_WHOLE)


@given(st.data())
@settings(max_examples=15)
def test_whatever_is_missing(data):
    runs, bases = (
        {key: value for key, value in whole.items() if data.draw(st.booleans())}
        for whole in (_WHOLE.runs, _WHOLE.bases)
    )
    left = dataclasses.replace(_WHOLE, runs=runs, bases=bases)
    for section in build_figures(left):
        assert section.figures
        for figure in section.figures:
            _check(figure)


def test_nothing_has_run():
    assert build_figures(made.of(made.suite())) == ()


def test_a_method_that_nobody_knows():
    suite = made.suite(2, ("FINE_TUNING", "<b>&_my$method$", "B" * 60))
    for section in build_figures(made.whole(suite)):
        for figure in section.figures:
            svg_parts.parsed(figure.svg)
            if figure.key == "cost":
                assert "<b>&_my$method$" in svg_parts.texts(figure.svg)
