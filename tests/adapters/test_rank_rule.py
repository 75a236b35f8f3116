"""Which adapters become products, of which rank, and what is refused."""

from __future__ import annotations

import pytest

from object_detection_patch.adapters.rank_rule import RankRule


def test_a_share_is_of_the_fewer_channels():
    rule = RankRule(share=0.5)
    assert rule.of((24, 144)) == rule.of((144, 24)) == 12
    assert rule.of((5, 5)) == 2
    assert rule.of((1, 9)) == 1
    assert str(rule) == "share 0.5"


def test_products_take_fewer_numbers():
    shapes = {"a": (8, 8), "b": (4, 16), "c": (3, 64), "d": (16, 16)}
    rule = RankRule(rank=4)
    # 4 * (8 + 8) is 8 * 8; 4 * 20 is more than 64; c has 3 channels.
    assert rule.products(shapes, tasks=1) == {"d": 4}
    # Of two tasks: 4 * (8 + 2 * 8) = 96 of 128; 4 * (16 + 2 * 4) = 96 of 128.
    assert rule.products(shapes, tasks=2) == {"a": 4, "b": 4, "d": 4}
    assert str(rule) == "rank 4"


def test_half_of_the_channels_is_half_of_the_size_for_many_tasks():
    """The paper's K / C, which a square adapter alone does not reach."""
    shape, tasks = (64, 64), 1000
    rank = RankRule(share=0.5).products({"a": shape}, tasks=tasks)["a"]
    numbers = rank * 64 + tasks * rank * 64
    assert numbers / (tasks * 64 * 64) == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "`rank` of 1 or more, or a `share`"),
        ({"rank": 2, "share": 0.5}, "Received: rank 2 and share 0.5"),
        ({"rank": -1}, "`rank` must be 1 or more. Received: -1"),
        ({"share": 1.5}, "at most 1. Received: 1.5"),
        ({"share": -0.5}, "above 0 and at most 1. Received: -0.5"),
        ({"share": float("nan")}, "Received: nan"),
    ],
)
def test_rules_that_there_are_not(options, message):
    with pytest.raises(ValueError, match=message):
        RankRule(**options)


def test_more_than_the_channels_of_the_widest():
    shapes = {"narrow": (2, 90), "widest": (9, 30)}
    with pytest.raises(
        ValueError, match="Received: 10, and the widest, 'widest', has 9"
    ):
        RankRule(rank=10).products(shapes, tasks=3)


def test_nothing_gets_smaller():
    with pytest.raises(ValueError, match="rank 5, with which none of 1 does"):
        RankRule(rank=5).products({"a": (9, 9)}, tasks=1)
