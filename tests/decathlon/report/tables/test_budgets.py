"""Scores within budgets, by hand; the grid's promises for any sizes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from object_detection_patch.decathlon.report.tables import (
    budgets,
    cells,
    comparison,
)
from tests.decathlon.report import results as made

_METHODS = ("FINE_TUNING", "BN_PATCH", "SPOTPATCH")
# Baselines b are 0.6 for birds and -0.4 for cars; terms of the Score:
# BN_PATCH (0.1 / 0.4)^2 = 1/16 and (0.7 / 1.4)^2 = 1/4,
# SPOTPATCH (0.2 / 0.4)^2 = 1/4 and (0.4 / 1.4)^2 = 4/49.
_MAPS = {
    "FINE_TUNING": (0.8, 0.3),
    "BN_PATCH": (0.7, 0.3),
    "SPOTPATCH": (0.8, 0.0),
}
_BYTES = {
    "FINE_TUNING": (9000, 9000),
    "BN_PATCH": (100, 200),
    "SPOTPATCH": (150, 150),
}


@pytest.fixture
def results():
    return made.of(
        made.suite(2, _METHODS),
        [
            made.run(method, task, made.outcome(value, patch_bytes=size))
            for method in _METHODS
            for task, value, size in zip(
                ("birds", "cars"), _MAPS[method], _BYTES[method], strict=True
            )
        ],
    )


@pytest.mark.parametrize(
    ("method", "budget", "terms"),
    [
        ("BN_PATCH", 99, 0),
        ("BN_PATCH", 100, 1 / 16),
        ("BN_PATCH", 199, 1 / 16),
        ("BN_PATCH", 200, 1 / 16 + 1 / 4),
        # A map of 0 within the budget scores where b < 0; one over it not.
        ("SPOTPATCH", 149, 0),
        ("SPOTPATCH", 150, 1 / 4 + 4 / 49),
        ("FINE_TUNING", 200, 0),
    ],
)
def test_a_method_within_a_budget(results, method, budget, terms):
    compared = comparison.compare(results, cells.keras)
    sizes = {
        name: dict(zip(("birds", "cars"), both, strict=True))
        for name, both in _BYTES.items()
    }
    found = budgets.score_within(compared, sizes, method, budget)
    assert found == pytest.approx(10_000 / 2 * terms)


@pytest.mark.parametrize(
    ("budget", "terms"),
    [(99, 0), (100, 1 / 16), (150, 1 / 4 + 4 / 49), (200, 1 / 4 + 1 / 4)],
)
def test_the_best_patch_of_each_task(results, budget, terms):
    compared = comparison.compare(results, cells.keras)
    sizes = {
        name: dict(zip(("birds", "cars"), both, strict=True))
        for name, both in _BYTES.items()
    }
    found = budgets.best_within(compared, sizes, budget)
    assert found == pytest.approx(10_000 / 2 * terms)


def test_the_table(results):
    float32, int8 = budgets.tables(results)
    titles = [column.title for column in float32.columns]
    # 100 to 200 in equal ratios: 100, 114.9, 131.9, 151.6, 174.1, 200.
    assert titles[1:] == [
        *("100 B", "120 B", "140 B", "160 B", "180 B", "200 B"),
    ]
    rows = {row[0]: row[1:] for row in float32.rows}
    bn_birds, spotpatch = 5000 / 16, 5000 * (1 / 4 + 4 / 49)
    assert rows["BN_PATCH"] == pytest.approx([bn_birds] * 5 + [1562.5])
    assert rows["SPOTPATCH"] == pytest.approx([0] * 3 + [spotpatch] * 3)
    assert rows["FINE_TUNING"] == (0,) * 6
    assert rows["best patch of each task"][-1] == pytest.approx(2500)
    bold = {(float32.rows[r][0], titles[c]) for r, c in float32.highlights}
    assert ("BN_PATCH", "100 B") in bold
    assert ("SPOTPATCH", "200 B") in bold
    assert {name for name, _ in bold} == {"BN_PATCH", "SPOTPATCH"}
    assert int8.key != float32.key


def test_where_nothing_is_published_small_files_count():
    runs = [
        made.run(
            method,
            "birds",
            made.outcome(value, file_bytes=size, on_phone=False),
        )
        for method, value, size in (
            ("FINE_TUNING", 0.5, 9000),
            ("BN_PATCH", 0.5, 1000),
        )
    ]
    results = made.of(made.suite(1, _METHODS[:2], phone=False), runs)
    (table,) = budgets.tables(results)
    assert table.key == "budgets_small_files"
    assert [column.title for column in table.columns] == ["Method", "1,000 B"]


def test_no_score_is_no_table():
    run = made.run("BN_PATCH", "birds", made.outcome(0.5))
    assert budgets.tables(made.of(made.suite(1), [run])) == ()
    assert budgets.tables(made.of(made.suite(1))) == ()


def test_a_grid_of_exact_ratios():
    doubled = [1000 * 2**index for index in range(6)]
    assert budgets.grid(1000, 32_000) == doubled
    assert budgets.grid(7, 7) == [7]


@given(st.integers(1, 10**9), st.integers(1, 10**9))
def test_any_grid_admits_the_least_and_the_greatest(one, other):
    least, greatest = sorted((one, other))
    grid = budgets.grid(least, greatest)
    assert grid == sorted(set(grid))
    assert 1 <= len(grid) <= 6
    assert least <= grid[0] < 1.1 * least + 1
    assert greatest <= grid[-1] < 1.1 * greatest + 1
    for budget in grid:
        assert len(str(budget).rstrip("0")) <= 2
