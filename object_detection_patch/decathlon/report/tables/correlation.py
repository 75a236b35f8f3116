"""Rank correlations, where there is enough to correlate."""

from __future__ import annotations

from collections.abc import Iterable

# Three points are in order by chance in one case of six.
_FEWEST = 4
# A correlation that is exactly a bound must not fall below it by rounding.
_DIGITS = 12

Pairs = Iterable[tuple[float | None, float | None]]


def spearman(pairs: Pairs) -> float | None:
    """Spearman's rho in [-1, 1].

    Pairs with a None are left out. None for fewer than four others, or
    where one side is constant.
    """
    from scipy import stats

    first, second = _known(pairs)
    if not _can_be_ranked(first, second):
        return None
    return round(float(stats.spearmanr(first, second).statistic), _DIGITS)


def kendall(pairs: Pairs) -> float | None:
    """Kendall's tau-b in [-1, 1]; None as for `spearman`."""
    from scipy import stats

    first, second = _known(pairs)
    if not _can_be_ranked(first, second):
        return None
    return round(float(stats.kendalltau(first, second).statistic), _DIGITS)


def _known(pairs: Pairs) -> tuple[list[float], list[float]]:
    """Both sides of the pairs without None."""
    known = [(a, b) for a, b in pairs if a is not None and b is not None]
    return [a for a, _ in known], [b for _, b in known]


def _can_be_ranked(first: list[float], second: list[float]) -> bool:
    return (
        len(first) >= _FEWEST and len(set(first)) > 1 and len(set(second)) > 1
    )
