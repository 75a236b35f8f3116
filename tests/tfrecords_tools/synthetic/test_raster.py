"""Masks against areas and extents known from geometry."""

import math

import numpy as np
import pytest

from tfrecords_tools.synthetic import glyphs, silhouettes
from tfrecords_tools.synthetic.raster import Pose, fill_mask, stroke_mask

SIDE = 96


def test_pose_by_hand():
    pose = Pose(centre=(0.5, 0.25), radius=0.1, angle=math.pi / 2, stretch=2)
    # (1, 0) -> stretched (2, 0) -> clockwise on the screen (0, 2)
    # (0, 1) -> stretched (0, .5) -> (-.5, 0)
    points = pose.to_pixels(np.array([[1.0, 0.0], [0.0, 1.0]]), 100)
    np.testing.assert_allclose(points, [[50, 45], [45, 25]])


RADIUS = 0.3
AREAS = {  # of the outline in the unit circle
    "circle": math.pi,
    "square": 2,
    "triangle": 3 * math.sqrt(3) / 4,
    "star": 10 * 0.5 * 0.42 * math.sin(math.pi / 5),
    "ring": math.pi * (1 - 0.55**2),
    "cross": 4 * 2 * 0.3 * (math.sqrt(1 - 0.3**2) - 0.3) + 0.6**2,
    "heart": 180 * math.pi / 17**2,
}


@pytest.mark.parametrize("name", AREAS)
@pytest.mark.parametrize("angle", [0.0, 0.7])
def test_filled_area(name, angle):
    pose = Pose(centre=(0.5, 0.5), radius=RADIUS, angle=angle)
    mask = fill_mask(silhouettes.outline(name), pose, SIDE)
    expected = AREAS[name] * (RADIUS * SIDE) ** 2
    assert float(mask.sum()) == pytest.approx(expected, rel=0.03)
    assert mask.shape == (SIDE, SIDE)
    assert 0 <= mask.min() and mask.max() == 1


def test_crescent_is_the_disc_minus_the_shifted_disc():
    pose = Pose(centre=(0.5, 0.5), radius=RADIUS)
    mask = fill_mask(silhouettes.outline("crescent"), pose, SIDE)
    y, x = (np.mgrid[:SIDE, :SIDE] + 0.5 - SIDE / 2) / (RADIUS * SIDE)
    inside = (x**2 + y**2 < 1) & ((x - 0.5) ** 2 + y**2 > 0.85**2)
    wrong = np.abs(mask - inside) > 0.9
    assert wrong.sum() == 0
    assert float(mask.sum()) == pytest.approx(inside.sum(), rel=0.03)


def test_stretch_keeps_the_area():
    areas = [
        fill_mask(
            silhouettes.outline("circle"),
            Pose(centre=(0.5, 0.5), radius=0.2, stretch=stretch),
            SIDE,
        ).sum()
        for stretch in (1.0, 1.3)
    ]
    assert areas[0] == pytest.approx(areas[1], rel=0.02)


@pytest.mark.parametrize("name", silhouettes.NAMES)
def test_outlines_fill_the_unit_circle_and_stay_in_it(name):
    radii = [
        np.linalg.norm(polygon.corners, axis=1).max()
        for polygon in silhouettes.outline(name)
        if not polygon.is_hole
    ]
    assert max(radii) == pytest.approx(1, abs=0.06)


@pytest.mark.parametrize("name", glyphs.NAMES)
def test_glyphs_stay_in_their_box_and_use_its_height(name):
    points = np.concatenate(glyphs.strokes(name))
    assert np.abs(points[:, 0]).max() <= 0.62
    assert points[:, 1].min() == pytest.approx(-0.9, abs=0.02)
    assert points[:, 1].max() == pytest.approx(0.9, abs=0.02)


def test_pen_draws_a_stadium():
    line = np.array([[-1.0, 0.0], [1.0, 0.0]])
    pose = Pose(centre=(0.5, 0.5), radius=0.3)
    mask = stroke_mask((line,), pose, SIDE, thickness=0.1)
    length, pen = 0.6 * SIDE, 0.1 * SIDE
    expected = length * pen + math.pi * pen**2 / 4
    assert float(mask.sum()) == pytest.approx(expected, rel=0.04)
    rows = np.flatnonzero(mask.max(axis=1) >= 0.5)
    assert abs(rows.mean() + 0.5 - SIDE / 2) <= 0.5


def test_glyph_masks_differ_from_each_other():
    pose = Pose(centre=(0.5, 0.5), radius=0.4)
    masks = [
        stroke_mask(glyphs.strokes(name), pose, SIDE, thickness=0.08)
        for name in glyphs.NAMES
    ]
    for i, a in enumerate(masks):
        for b in masks[:i]:
            overlap = np.minimum(a, b).sum() / np.maximum(a, b).sum()
            assert overlap < 0.6
