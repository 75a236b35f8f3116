"""The road's perspective against the pinhole formula."""

import numpy as np
import pytest

from tfrecords_tools.synthetic.road_camera import Camera

CAMERA = Camera(x=1.0, horizon=0.4, focal_length=1.2, above_road=1.5)


def test_sizes_shrink_with_the_distance():
    near, far = (CAMERA.project([(0, 0, z), (0, 2, z)]) for z in (4.0, 8.0))
    assert near[0, 1] - near[1, 1] == pytest.approx(1.2 * 2 / 4)
    assert far[0, 1] - far[1, 1] == pytest.approx(1.2 * 2 / 8)


def test_parallel_lines_meet_at_the_horizon():
    lines = CAMERA.project([(-5, 0, 1e9), (5, 0, 1e9)])
    np.testing.assert_allclose(lines, [(1.0, 0.4)] * 2, atol=1e-6)


def test_what_is_as_high_as_the_camera_lies_on_the_horizon():
    seen = CAMERA.project([(3, 1.5, 6), (-2, 1.5, 20)])
    np.testing.assert_allclose(seen[:, 1], 0.4)


def test_nothing_is_nearer_than_the_nearest():
    seen = CAMERA.project([(1, 0, -5), (1, 0, 0.8)])
    np.testing.assert_allclose(seen[0], seen[1])


def test_scale_is_the_height_of_a_metre():
    assert CAMERA.scale(6) == pytest.approx(0.2)
