"""Finished examples refuse what would become a silent training bug."""

import dataclasses
import math

import pytest

from tfrecords_tools.example import Example, ExampleObject

CAT = ExampleObject(
    name="cat", label=1, xmin=0.25, ymin=0.5, xmax=1, ymax=0.75, area=6.0
)
EXAMPLE = Example(
    encoded=b"\xff\xd8\xff\xe0",
    encoding="jpeg",
    width=8,
    height=4,
    filename="a/b.jpg",
    source_id="b",
    objects=(CAT,),
)


@pytest.mark.parametrize(
    "change",
    [
        {"xmin": -1e-9},
        {"ymin": -0.5},
        {"xmax": 1 + 1e-9},
        {"ymax": 2},
        {"xmin": 1.0},  # Equal to xmax.
        {"ymin": 0.75},
        {"xmin": 0.9, "xmax": 0.8},
        {"ymin": math.nan},
        {"ymax": math.inf},
    ],
)
def test_a_box_outside_or_without_area_is_refused(change):
    with pytest.raises(ValueError, match=r"inside its image.*\(cat\)"):
        dataclasses.replace(CAT, **change)


def test_a_box_may_touch_every_border():
    whole = dataclasses.replace(CAT, xmin=0, ymin=0, xmax=1, ymax=1)
    assert dataclasses.replace(EXAMPLE, objects=(whole,)).objects == (whole,)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"source_id": ""}, r"`source_id` must not be empty.*\(a/b.jpg\)"),
        ({"encoding": "gif"}, "one of jpeg, png. Received: 'gif'"),
        ({"encoding": "png"}, r"png file .*Received .*xff.*\(a/b.jpg\)"),
        ({"encoded": b""}, "Received bytes starting with b''"),
        ({"width": 0}, "size must be positive. Received: 0 x 4"),
        ({"height": -1}, "size must be positive. Received: 8 x -1"),
    ],
)
def test_example_refuses(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(EXAMPLE, **change)
