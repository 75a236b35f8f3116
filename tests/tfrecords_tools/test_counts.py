"""Counts add up, name a few images, and survive JSON."""

import collections
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfrecords_tools.counts import EXAMPLES, Counts, total


def test_dropped_boxes_count_as_annotated_and_name_their_image():
    counts = Counts()
    counts.drop({"zero width": 2, "unknown class": 1}, "a.jpg")
    counts.drop({"zero width": 1, "never": 0}, "b.jpg")
    assert counts.dropped == {"zero width": 3, "unknown class": 1}
    assert counts.boxes == {"annotated": 4}
    assert counts.named == {
        "zero width": ["a.jpg", "b.jpg"],
        "unknown class": ["a.jpg"],
    }


def test_only_the_first_images_are_named_each_once():
    counts = Counts()
    for index in range(EXAMPLES + 5):
        counts.name("odd", f"{index}")
        counts.name("odd", f"{index}")
    assert counts.named == {"odd": [str(i) for i in range(EXAMPLES)]}


def test_total_keeps_the_order_of_shards_in_names():
    parts = [Counts(), Counts(), Counts()]
    for index, part in enumerate(parts):
        part.images["written"] += index
        for i in range(EXAMPLES - 4):
            part.name("odd", f"{index}.{i}")
    parts[2].unusable["absent"] += 1
    whole = total(iter(parts))
    assert whole.images == {"written": 3}
    assert whole.unusable == {"absent": 1}
    assert whole.named["odd"] == [
        *(f"0.{i}" for i in range(EXAMPLES - 4)),
        *(f"1.{i}" for i in range(4)),
    ]
    assert len(parts[0].named["odd"]) == EXAMPLES - 4


def test_total_of_nothing_is_zero():
    assert total([]) == Counts()


def test_json_is_in_alphabetical_order():
    counts = Counts(classes=collections.Counter({"b": 1, "a": 2}))
    data = counts.to_json()
    assert list(data["classes"]) == ["a", "b"]
    assert data["named"] == {}


COUNTERS = st.dictionaries(st.text(), st.integers(0, 2**60)).map(
    collections.Counter
)
NAMED = st.dictionaries(
    st.text(), st.lists(st.text(), max_size=EXAMPLES, unique=True)
)
ALL_COUNTS = st.builds(
    Counts,
    images=COUNTERS,
    boxes=COUNTERS,
    unusable=COUNTERS,
    re_encoded=COUNTERS,
    remarks=COUNTERS,
    dropped=COUNTERS,
    classes=COUNTERS,
    named=NAMED,
)


@given(ALL_COUNTS)
def test_json_round_trip(counts):
    text = json.dumps(counts.to_json())
    assert Counts.from_json(json.loads(text)) == counts


@given(st.lists(ALL_COUNTS, max_size=3))
def test_total_sums_every_counter(parts):
    whole = total(parts)
    for field in ("images", "boxes", "unusable", "dropped", "classes"):
        keys = {key for part in parts for key in getattr(part, field)}
        for key in keys:
            expected = sum(getattr(part, field)[key] for part in parts)
            assert getattr(whole, field)[key] == expected


@pytest.mark.parametrize("data", [{}, {"named": {}, "colour": {}}])
def test_other_json_is_refused(data):
    with pytest.raises((KeyError, TypeError)):
        Counts.from_json(data)
