"""Small gammas are raised, and no others."""

from __future__ import annotations

import numpy as np
import pytest

from object_detection_patch.export.gammas import FLOORS, raise_small

_ONES = np.ones(5, np.float32)


def test_small_ones_reach_the_floor_with_their_sign():
    gamma = np.array([2, 1e-9, -1e-9, 0, -0.5], np.float32)
    raised = raise_small(gamma, _ONES, "int8")
    floor = 2 * 2.0**-10
    assert raised.channels == 3
    np.testing.assert_array_equal(raised.gamma[[0, 4]], gamma[[0, 4]])
    np.testing.assert_allclose(
        raised.gamma[1:4], [floor, -floor, floor], rtol=2e-3
    )
    assert (np.abs(raised.gamma) >= floor).all()


@pytest.mark.parametrize("precision", sorted(FLOORS))
def test_a_second_time_changes_nothing(precision):
    random = np.random.default_rng(0)
    gamma = (10 ** random.uniform(-9, 1, 500)).astype(np.float32)
    deviation = random.uniform(0.1, 10, 500).astype(np.float32)
    once = raise_small(gamma, 1 / deviation, precision)
    twice = raise_small(once.gamma, 1 / deviation, precision)
    assert once.channels > 0
    assert twice.channels == 0
    np.testing.assert_array_equal(twice.gamma, once.gamma)


def test_what_counts_is_gamma_over_the_deviation():
    gamma = np.array([1, 1], np.float32)
    inverse = np.array([1, 1e-8], np.float32)
    raised = raise_small(gamma, inverse, "float16")
    assert raised.channels == 1
    assert raised.gamma[1] * inverse[1] >= 2.0**-10


def test_a_norm_of_zeros_lets_a_little_through():
    raised = raise_small(np.zeros(5, np.float32), _ONES, "float32")
    assert raised.channels == 5
    assert (raised.gamma > 0).all()
