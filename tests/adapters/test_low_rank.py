"""Factors of matrices, against what is known of the SVD."""

from __future__ import annotations

import numpy as np
import pytest

from object_detection_patch.adapters import low_rank


def draw(*shape, seed=0):
    values = np.random.default_rng(seed).standard_normal(shape)
    return values.astype(np.float32)


@pytest.mark.parametrize("rank", [1, 3, 6])
def test_the_error_is_what_the_singular_values_leave(rank):
    matrix = draw(6, 9)
    values = np.linalg.svd(matrix.astype(np.float64), compute_uv=False)
    factors = low_rank.truncated(matrix, rank)
    assert factors.left.shape == (6, rank)
    assert factors.right.shape == (rank, 9)
    assert factors.left.dtype == factors.right.dtype == np.float32
    # Eckart and Young: no product of this rank is nearer.
    error = np.linalg.norm(matrix - factors.left @ factors.right)
    expected = np.linalg.norm(values[rank:])
    assert error == pytest.approx(expected, abs=1e-5)


def test_the_factors_are_of_one_size():
    factors = low_rank.truncated(100 * draw(6, 9), 4)
    sizes = [np.linalg.norm(part) for part in (factors.left, factors.right)]
    assert sizes[0] == pytest.approx(sizes[1], rel=1e-6)


def test_joint_is_equation_1():
    """[alpha_1 ... alpha_T] = U S V with alpha = A transposed."""
    matrices, rank = [draw(7, 5, seed=seed) for seed in range(3)], 2
    u, s, v = np.linalg.svd(
        np.concatenate([a.T for a in matrices], axis=1).astype(np.float64),
        full_matrices=False,
    )
    beta = u[:, :rank] * s[:rank]
    gammas = [part.T for part in np.split(v[:rank], 3, axis=1)]

    lefts, right = low_rank.joint(matrices, rank)
    assert right.shape == (rank, 5)
    signs = np.sign(np.sum(beta * right.T, axis=0))
    np.testing.assert_allclose(right.T * signs, beta, atol=1e-5)
    for left, gamma in zip(lefts, gammas, strict=True):
        np.testing.assert_allclose(left * signs, gamma, atol=1e-5)
        np.testing.assert_allclose(left @ right, (beta @ gamma.T).T, atol=1e-5)
    orthonormal = sum(left.T @ left for left in lefts)
    np.testing.assert_allclose(orthonormal, np.eye(rank), atol=1e-6)


def test_a_fitted_left_factor_leaves_what_right_cannot_say():
    matrix, right = draw(6, 9), draw(3, 9, seed=1)
    rest = matrix - low_rank.fitted(matrix, right) @ right
    assert np.abs(rest @ right.T).max() < 1e-4
    assert np.linalg.norm(rest) > 1


def test_a_fitted_left_factor_is_found_again():
    left, right = draw(6, 3), draw(3, 9, seed=1)
    found = low_rank.fitted(left @ right, right)
    np.testing.assert_allclose(found, left, atol=1e-5)


def test_matrices_of_zeros():
    factors = low_rank.truncated(np.zeros((4, 3), np.float32), 2)
    assert not factors.left.any() and not factors.right.any()
    lefts, right = low_rank.joint([np.zeros((4, 3))] * 2, 2)
    assert not right.any()
    assert np.isfinite(lefts).all()
    assert not low_rank.fitted(np.ones((4, 3)), right).any()
