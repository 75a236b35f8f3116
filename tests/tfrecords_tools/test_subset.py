"""The hash rule that parts datasets whose official split is unknown."""

import pytest

from tfrecords_tools.subset import eval_subset, hash_order, share


def test_order_is_that_of_hex_sha256():
    # 2e7d2c03..., 3e23e816..., ca978112... of "c", "b", "a".
    assert hash_order(["a", "b", "c"]) == ["c", "b", "a"]


def test_ids_are_hashed_as_utf8():
    # 4a99557e... of "é" in UTF-8; 2e7d2c03... of "c", ca978112... of "a".
    assert hash_order(["a", "é", "c"]) == ["c", "é", "a"]


def test_choice_does_not_depend_on_the_order_given():
    assert eval_subset(["a", "b", "c"], 2) == {"b", "c"}
    assert eval_subset(["c", "a", "b"], 2) == {"b", "c"}


def test_none_and_all_can_be_chosen():
    assert eval_subset(["a", "b"], 0) == frozenset()
    assert eval_subset(["a", "b"], 2) == {"a", "b"}


@pytest.mark.parametrize("count", [-1, 3])
def test_impossible_count_is_refused(count):
    with pytest.raises(ValueError, match="between 0 and 2"):
        eval_subset(["a", "b"], count)


def test_repeated_id_is_refused():
    with pytest.raises(ValueError, match="3 ids, 2 of them"):
        eval_subset(["a", "b", "a"], 1)


@pytest.mark.parametrize(
    ("total", "expected"), [(6000, 600), (40, 4), (14, 1), (16, 2), (1, 1)]
)
def test_share_is_rounded_and_never_nothing(total, expected):
    assert share(total, 6000, 600) == expected
