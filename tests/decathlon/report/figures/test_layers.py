"""layers and places: a cell for each open kernel, where it belongs."""

import pytest

from object_detection_patch.decathlon.report.figures import style
from object_detection_patch.decathlon.report.figures.layers import (
    layer_figures,
)
from tests.decathlon.report import results as made
from tests.decathlon.report import svg_parts

_OPENED = {"birds": 10, "cars": 0, "coco": 71}
_COLOUR = style.looks(["SPOTPATCH"])["SPOTPATCH"].colour


@pytest.fixture(scope="module")
def figures():
    suite = made.suite(3)
    runs = [
        made.run(
            "SPOTPATCH", task, made.outcome(0.5, opened=made.gates(opened))
        )
        for task, opened in _OPENED.items()
    ]
    return list(layer_figures(made.of(suite, runs)))


def test_a_cell_for_each_open_kernel(figures):
    layers, _ = figures
    rows = svg_parts.paths(layers.svg, _COLOUR)
    # No row for cars, which opens none.
    assert [row.count("M") for row in rows] == [10, 71]
    birds, coco = map(svg_parts.box, rows)
    assert birds[1] < coco[1]
    assert birds[0] == pytest.approx(coco[0], abs=0.01)
    width = coco[2] - coco[0]
    assert birds[2] - birds[0] == pytest.approx(10 / 71 * width, rel=0.02)


def test_rows_and_shares_from_the_fewest_open(figures):
    layers, _ = figures
    found = svg_parts.texts(layers.svg)
    names = [text for text in found if text in _OPENED]
    shares = [text for text in found if text.endswith("%")]
    assert names == ["cars", "birds", "coco"]
    assert shares == ["0%", "14%", "100%"]
    assert {"backbone", "fpn", "tower"} <= set(found)


def test_the_words_have_every_count(figures):
    layers, places = figures
    assert "for each of 71 kernels" in layers.alternative
    assert (
        "cars 0 of 71 (0.0%); birds 10 of 71 (14.1%); coco 71 of 71 (100.0%)"
    ) in layers.alternative
    assert "birds: backbone 10 of 24, fpn 0 of 24, tower 0 of 23" in (
        places.alternative
    )


def test_counts_by_place(figures):
    _, places = figures
    found = svg_parts.texts(places.svg)
    counts = [text for text in found if "/" in text]
    assert counts == [
        *("0/24", "10/24", "24/24"),
        *("0/24", "0/24", "24/24"),
        *("0/23", "0/23", "23/23"),
    ]
    boxes = [svg_parts.box(p) for p in svg_parts.paths(places.svg, _COLOUR)]
    widths = [right - left for left, _, right, _ in boxes]
    assert len(widths) == 9
    assert widths[0] == 0
    assert widths[1] / widths[2] == pytest.approx(10 / 24, rel=0.01)


def test_no_gates_no_figures():
    assert list(layer_figures(made.of(made.suite()))) == []
