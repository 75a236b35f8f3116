"""Rank correlations against their definitions."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from object_detection_patch.decathlon.report.tables.correlation import (
    kendall,
    spearman,
)

_RANKS = st.integers(4, 9).flatmap(
    lambda count: st.tuples(
        st.permutations(range(count)), st.permutations(range(count))
    )
)


@given(_RANKS)
def test_spearman_from_squared_differences(ranks):
    first, second = ranks
    n = len(first)
    squares = sum((a - b) ** 2 for a, b in zip(first, second, strict=True))
    expected = 1 - 6 * squares / (n * (n * n - 1))
    # Any numbers in the same order have the same ranks.
    stretched = [2.0**rank for rank in first]
    assert spearman(zip(stretched, second, strict=True)) == pytest.approx(
        expected, abs=1e-12
    )


@given(_RANKS)
def test_kendall_from_pairs(ranks):
    signs = [
        1 if (a < c) == (b < d) else -1
        for (a, b), (c, d) in itertools.combinations(
            zip(*ranks, strict=True), 2
        )
    ]
    expected = sum(signs) / len(signs)
    assert kendall(zip(*ranks, strict=True)) == pytest.approx(
        expected, abs=1e-12
    )


def test_ties_share_a_rank():
    # Ranks 1, 2.5, 2.5, 4 and 1, 2, 3, 4: Pearson's r of those.
    assert spearman([(1, 1), (2, 2), (2, 3), (3, 4)]) == pytest.approx(
        4.5 / (4.5 * 5) ** 0.5
    )


@pytest.mark.parametrize(
    "pairs",
    [
        [],
        [(1, 1), (2, 2), (3, 3)],
        [(1, 1), (1, 2), (1, 3), (1, 4)],
        [(1, 5), (2, 5), (3, 5), (4, 5)],
        [(1, 1), (2, 2), (3, 3), (4, None), (None, 4)],
    ],
)
def test_too_little_to_rank_is_none(pairs):
    assert spearman(pairs) is None
    assert kendall(pairs) is None


def test_what_is_exact_comes_out_exact():
    # Squared differences 4 + 1 + 1 of five pairs: 1 - 6 * 6 / 120.
    assert spearman([(1, 3), (2, 1), (3, 2), (4, 4), (5, 5)]) == 0.7
    assert spearman([(n, n) for n in range(5)]) == 1.0


def test_pairs_with_a_gap_are_left_out():
    pairs = [(1, 3), (2, None), (2, 2), (None, 9), (3, 1), (4, 0)]
    assert spearman(pairs) == kendall(pairs) == -1.0
