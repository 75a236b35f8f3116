"""The profile's table, JSON and parts of a picture, from rows by hand."""

from __future__ import annotations

import pytest

from object_detection_patch.profiling import report
from object_detection_patch.profiling.costs import Cost
from object_detection_patch.profiling.ssd import Profile


@pytest.fixture
def profile():
    low = Cost("low", 2_000_000, 0, 10, 0, 40, 0, 0, 0, 500_000)
    high = Cost("high", 1_000_000, 3_500_000, 5, 5, 20, 80, 20, 40, 300_000)
    return Profile("SOME_METHOD", 4, (30, 20), [low, high])


def test_json_has_sums_and_layers(profile):
    found = report.as_json(profile)
    assert found["method"] == "SOME_METHOD"
    assert (found["batch_size"], found["image_size"]) == (4, [30, 20])
    assert [row["name"] for row in found["layers"]] == ["low", "high"]
    assert found["sum"]["flops"] == 6_500_000
    assert found["sum"]["memory_bytes"] == 60 + 80 + 20 + 40 + 500_000
    assert found["layers"][1]["memory_bytes"] == 160 + 300_000


def test_the_table_begins_with_the_sum_in_words_and_ends_with_it(profile):
    first, *_, low, high, last = report.as_text(profile).splitlines()
    assert first == (
        "SOME_METHOD, one step on 4 images of 20 x 30: 6.5 MFLOPs, 0.50 MB, "
        "5 of 15 parameters train"
    )
    assert low.split() == [
        *("low", "2.00", "0.00", "10", "0.000", "0.000", "0.000", "0.000"),
        "0.500",
    ]
    assert high.split()[:4] == ["high", "1.00", "3.50", "5"]
    assert last.split()[:4] == ["sum", "3.00", "3.50", "15"]


def test_the_picture_holds_what_the_sum_holds(profile):
    found = report.memory(profile)
    assert found == {
        "parameters": [("low", 40), ("high", 20)],
        "kept activations": [("high", 80)],
        "gradients": [("high", 20)],
        "optimizer": [("high", 40)],
        "temporary": [("low", 500_000)],
    }
    drawn = sum(amount for rows in found.values() for _, amount in rows)
    assert drawn == profile.total.memory_bytes
