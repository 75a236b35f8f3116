"""Policy maps and histograms: cells as high as shares, bars as counts."""

from __future__ import annotations

import pytest

from object_detection_patch.decathlon.report.figures import policies, style
from object_detection_patch.decathlon.suite import runs
from tests.decathlon.report import family_results, svg_parts

_SHARES = {"birds": (1.0, 0.5, 0.0), "cars": (0.25, 1.0, 1.0)}
_HISTOGRAMS = {"birds": (0, 10, 10, 0), "cars": (0, 0, 15, 5)}
_COLOUR = style.looks(runs.all_methods(family_results.suite()))[
    "SPOTTUNE"
].colour


@pytest.fixture(scope="module")
def figures():
    chosen = [
        family_results.run(
            "SPOTTUNE",
            task,
            family_results.routed(0.5, shares, _HISTOGRAMS[task], 0.4),
        )
        for task, shares in _SHARES.items()
    ]
    return list(policies.policy_figures(family_results.of(chosen)))


def _heights(svg):
    boxes = [svg_parts.box(path) for path in svg_parts.paths(svg, _COLOUR)]
    return [bottom - top for _, top, _, bottom in boxes]


def test_a_cell_is_filled_as_high_as_its_share(figures):
    found, _ = figures
    assert found.key == "policy_map_spottune"
    heights = _heights(found.svg)
    shares = [share for row in _SHARES.values() for share in row]
    assert [height / max(heights) for height in heights] == pytest.approx(
        shares, abs=0.01
    )
    assert {"birds", "cars", "1", "2", "3"} <= set(svg_parts.texts(found.svg))


def test_a_bar_for_each_number_of_blocks(figures):
    _, found = figures
    assert found.key == "tuned_blocks_spottune"
    heights = _heights(found.svg)
    assert len(heights) == 2 * 4
    assert heights[1] == pytest.approx(heights[2])
    assert heights[6] == pytest.approx(3 * heights[7], rel=0.01)
    assert heights[0] == 0


def test_the_words_have_every_number(figures):
    for figure, words in zip(
        figures,
        (
            "birds: 100, 50, 0; cars: 25, 100, 100",
            "birds: 10 with 1, 10 with 2; cars: 15 with 2, 5 with 3",
        ),
        strict=True,
    ):
        assert words in figure.alternative


def test_one_choice_for_all_images_has_no_histogram():
    chosen = family_results.run(
        "SPOTTUNE", "cars", family_results.routed(0.5, (1.0, 0.0), (0, 20, 0))
    )
    keys = [
        figure.key
        for figure in policies.policy_figures(family_results.of([chosen]))
    ]
    assert keys == ["policy_map_spottune"]


def test_without_routing_there_is_no_figure():
    assert list(policies.policy_figures(family_results.of([]))) == []
