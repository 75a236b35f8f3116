"""Painting, hiding and boxes on pictures small enough to do by hand."""

import numpy as np
import pytest

from tfrecords_tools.synthetic.placement import (
    MIN_VISIBLE,
    OVERHANG,
    find_place,
    random_pose,
)
from tfrecords_tools.synthetic.scene import Scene, ink_box

LABELS = {"a": 1, "b": 2}
RED = np.array([1.0, 0.0, 0.0])


def block(xmin, ymin, xmax, ymax, side=8):
    coverage = np.zeros((side, side), np.float32)
    coverage[ymin:ymax, xmin:xmax] = 1
    return coverage


@pytest.fixture
def scene():
    return Scene(np.zeros((8, 8, 3)))


def test_box_of_ink():
    coverage = block(2, 1, 5, 7)
    coverage[0, 2] = 0.29  # too faint
    coverage[7, 3] = 0.31
    assert ink_box(coverage) == (2, 1, 5, 8)


def test_box_without_ink_is_refused():
    with pytest.raises(ValueError, match="0.3 or more. Received: at most 0.0"):
        ink_box(np.zeros((4, 4)))


def test_paint_blends_by_coverage(scene):
    scene.paint(np.full((8, 8), 0.25, np.float32), RED)
    np.testing.assert_array_equal(scene.to_uint8()[0, 0], [64, 0, 0])


def test_later_layers_shrink_the_box_of_earlier_objects(scene):
    scene.place("a", block(1, 1, 6, 4), RED)
    scene.place("b", block(4, 0, 8, 8), RED)
    scene.paint(block(0, 0, 8, 2), RED)
    a, b = scene.annotate(LABELS)
    assert (a.name, a.label, a.edges) == ("a", 1, (1, 2, 4, 4))
    assert (b.name, b.label, b.edges) == ("b", 2, (4, 2, 8, 8))
    assert (a.truncated, b.truncated) == (False, True)


@pytest.mark.parametrize(
    "box", [(0, 1, 3, 3), (1, 0, 3, 3), (5, 5, 8, 7), (5, 5, 7, 8)]
)
def test_each_border_truncates(scene, box):
    scene.place("a", block(*box), RED)
    assert scene.annotate(LABELS)[0].truncated


def test_hides(scene):
    scene.place("a", block(0, 0, 4, 4), RED)
    half = block(2, 0, 4, 4)
    assert not scene.hides(half, min_visible=0.5)
    assert scene.hides(half, min_visible=0.51)
    scene.paint(block(0, 0, 1, 4), RED)  # a quarter is hidden already
    assert scene.hides(half, min_visible=0.5)


def test_shade_and_colour_behind(scene):
    scene.paint(block(0, 0, 8, 4), RED)
    scene.shade(np.full((8, 8), 0.5))
    np.testing.assert_allclose(
        scene.colour_behind(block(0, 2, 8, 6)), RED * 0.25, rtol=1e-4
    )


def test_find_place_skips_what_hides_or_crowds(scene):
    scene.place("a", block(0, 0, 4, 4), RED)
    offers = [
        block(0, 0, 8, 8),  # hides everything
        block(2, 2, 6, 6),  # hides a quarter; a quarter of the box is shared
        block(3, 3, 7, 7),  # one sixteenth is shared
    ]
    draws = iter(offers)
    found = find_place(scene, lambda: next(draws), max_overlap=0.1)
    assert found is offers[2]
    assert (MIN_VISIBLE, list(draws)) == (0.7, [])


def test_find_place_gives_up(scene):
    scene.place("a", block(0, 0, 8, 8), RED)
    calls = []

    def draw_mask():
        calls.append(1)
        return block(1, 1, 3, 3)

    assert find_place(scene, draw_mask, max_overlap=0.5) is None
    assert len(calls) == 8


def test_random_poses_keep_their_limits():
    rng = np.random.default_rng(0)
    for _ in range(200):
        pose = random_pose(
            rng, diameter=(0.2, 0.5), max_angle=0.3, max_stretch=1.2
        )
        assert 0.1 <= pose.radius <= 0.25
        assert abs(pose.angle) <= 0.3
        assert 1 / 1.2 <= pose.stretch <= 1.2
        margin = pose.radius * (1 - OVERHANG)
        assert margin <= min(pose.centre)
        assert max(pose.centre) <= 1 - margin
