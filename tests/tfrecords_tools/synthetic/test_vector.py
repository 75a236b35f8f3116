"""Sketches, poses and outlines against plain arithmetic."""

import math

import numpy as np
import pytest

from tfrecords_tools.synthetic.affine import IDENTITY, Affine, pose
from tfrecords_tools.synthetic.outlines import (
    arc_points,
    ellipse_points,
    rectangle_points,
    smooth,
)
from tfrecords_tools.synthetic.vector import Sketch, moved

POINTS = np.array([(0.0, 0.0), (1.0, 0.0), (1.0, 2.0), (-3.0, 0.5)])


def matrix(affine: Affine) -> np.ndarray:
    """The map as a 3 x 3 matrix of homogeneous coordinates."""
    return np.array(
        [
            (affine.a, affine.b, affine.c),
            (affine.d, affine.e, affine.f),
            (0, 0, 1),
        ]
    )


def by_matrix(affine: Affine, points: np.ndarray) -> np.ndarray:
    ones = np.ones((len(points), 1))
    return (np.hstack([points, ones]) @ matrix(affine).T)[:, :2]


def test_apply_is_the_matrix_product():
    affine = Affine(1.5, -0.2, 3.0, 0.4, 0.9, -1.0)
    np.testing.assert_allclose(
        affine.apply(POINTS), by_matrix(affine, POINTS), atol=1e-12
    )


def test_matmul_applies_the_inner_map_first():
    outer, inner = pose(1, 2, 3, angle=0.4), pose(-1, 0, 0.5, shear=0.3)
    np.testing.assert_allclose(
        (outer @ inner).apply(POINTS),
        outer.apply(inner.apply(POINTS)),
        atol=1e-12,
    )


def test_pose_turns_clockwise_as_seen():
    turned = pose(angle=math.pi / 2).apply(np.array([(1.0, 0.0)]))
    np.testing.assert_allclose(turned, [(0, 1)], atol=1e-12)


def test_pose_stretches_and_mirrors_before_it_turns():
    affine = pose(5, 7, 2, angle=0.3, stretch=4, flipped=True, shear=0.5)
    cos, sin = math.cos(0.3), math.sin(0.3)
    turn = np.array([(cos, -sin), (sin, cos)])
    stretched = POINTS * (-2 * 2, 2 / 2)
    sheared = stretched + np.outer(stretched[:, 1], (0.5, 0))
    expected = sheared @ turn.T + (5, 7)
    np.testing.assert_allclose(affine.apply(POINTS), expected, atol=1e-12)


def test_scale_is_the_root_of_the_area():
    assert pose(scale=3, stretch=2, angle=1).scale == pytest.approx(3)


def test_widths_of_lines_grow_with_the_pose():
    pen = Sketch()
    with pen.posed(pose(scale=2)):
        pen.line([(0, 0), (1, 1)], 0.5, (0, 0, 0))
    (part,) = moved(pen.parts, pose(scale=3))
    assert part.width == pytest.approx(3.0)
    np.testing.assert_allclose(part.points, [(0, 0), (6, 6)])


def test_poses_nest():
    pen = Sketch()
    with pen.posed(pose(10, 0)), pen.posed(pose(scale=2)):
        pen.polygon([(1, 1), (2, 1), (1, 2)], (0, 0, 0))
    np.testing.assert_allclose(pen.parts[0].points[0], (12, 2))


def test_clipped_parts_move_with_their_clip():
    pen = Sketch()
    with pen.clipped([(0, 0), (1, 0), (1, 1)]):
        pen.circle(0, 0, 1, (1, 2, 3))
    (clip,) = moved(pen.parts, pose(5, 5))
    np.testing.assert_allclose(clip.points[0], (5, 5))
    np.testing.assert_allclose(clip.inside[0].points.mean(axis=0), (5, 5))


def test_an_added_sketch_is_moved():
    inner, outer = Sketch(), Sketch()
    inner.polygon([(1, 0), (0, 1), (0, 0)], (0, 0, 0))
    outer.add(inner, pose(1, 1))
    np.testing.assert_allclose(outer.parts[0].points[0], (2, 1))


@pytest.mark.parametrize(
    ("colour", "is_solid"), [((1, 2, 3), True), ((1, 2, 3, 200), False)]
)
def test_translucent_parts_are_not_solid(colour, is_solid):
    pen = Sketch()
    pen.circle(0, 0, 1, colour)
    assert pen.parts[0].is_solid is is_solid


def test_ellipse_corners_lie_on_the_ellipse():
    points = ellipse_points(1, 2, 3, 0.5, angle=0.7) - (1, 2)
    cos, sin = math.cos(0.7), math.sin(0.7)
    along = points[:, 0] * cos + points[:, 1] * sin
    across = points[:, 1] * cos - points[:, 0] * sin
    np.testing.assert_allclose((along / 3) ** 2 + (across / 0.5) ** 2, 1)


def test_arcs_run_clockwise_from_the_right():
    points = arc_points(0, 0, 1, 1, 0, 0.25)
    np.testing.assert_allclose(points[0], (1, 0), atol=1e-12)
    np.testing.assert_allclose(points[-1], (0, 1), atol=1e-12)


def test_rounded_corners_stay_in_the_box():
    points = rectangle_points(0, 0, 4, 2, 0.5)
    np.testing.assert_allclose(points.min(axis=0), (0, 0), atol=1e-12)
    np.testing.assert_allclose(points.max(axis=0), (4, 2), atol=1e-12)
    corners = np.abs(points - (2, 1)).sum(axis=1)
    assert corners.max() < 3 - 0.5 * (2 - math.sqrt(2)) + 1e-9


@pytest.mark.parametrize("closed", [True, False])
def test_smooth_curves_run_through_their_knots(closed):
    curve = smooth(POINTS, closed=closed)
    distances = np.linalg.norm(curve[:, None] - POINTS[None], axis=2)
    np.testing.assert_allclose(distances.min(axis=0), 0, atol=1e-12)


def test_identity_moves_nothing():
    np.testing.assert_array_equal(IDENTITY.apply(POINTS), POINTS)
