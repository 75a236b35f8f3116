"""Neutral records refuse what would become a silent training bug."""

import dataclasses
import math

import pytest

from tfrecords_tools.record import AnnotatedImage, AnnotatedObject

CAT = AnnotatedObject(name="cat", label=1, xmin=2, ymin=1, xmax=8, ymax=4)
IMAGE = AnnotatedImage(
    encoded=b"\xff\xd8\xff\xe0",
    encoding="jpeg",
    width=8,
    height=4,
    filename="a/b.jpg",
    source_id="b",
    objects=(CAT,),
)


def test_edges_and_area_are_continuous_pixels():
    assert CAT.edges == (2, 1, 8, 4)
    assert CAT.box_area == 18  # (8 - 2) * (4 - 1), no "+ 1"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": ""}, "`name` must not be empty"),
        ({"label": 0}, "label of 'cat' must be 1 or more.* Received: 0"),
        ({"xmin": math.nan}, r"must be finite. Received: \(nan, 1, 8, 4\)"),
        ({"ymax": math.inf}, "must be finite"),
        ({"xmax": 2}, r"positive width and height. Received .*\(2, 1, 2, 4\)"),
        ({"ymax": 0.5}, "positive width and height"),
    ],
)
def test_object_refuses(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(CAT, **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"source_id": ""}, r"`source_id` must not be empty.*\(a/b.jpg\)"),
        ({"encoding": "gif"}, "one of jpeg, png. Received: 'gif'"),
        ({"encoding": "png"}, r"png file .*Received .*xff.*\(a/b.jpg\)"),
        ({"encoded": b""}, "Received bytes starting with b''"),
        ({"width": 0}, "size must be positive. Received: 0 x 4"),
        ({"height": -1}, "size must be positive. Received: 8 x -1"),
        ({"width": 7}, r"inside its image of 7 x 4 .*\(2, 1, 8, 4\)"),
        ({"height": 3}, "inside its image of 8 x 3"),
    ],
)
def test_image_refuses(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(IMAGE, **change)


@pytest.mark.parametrize("edge", ["xmin", "ymin"])
def test_image_refuses_a_box_left_of_or_above_it(edge):
    outside = dataclasses.replace(CAT, **{edge: -0.25})
    with pytest.raises(ValueError, match="clip it first"):
        dataclasses.replace(IMAGE, objects=(outside,))


def test_a_box_may_touch_every_border():
    whole = dataclasses.replace(CAT, xmin=0, ymin=0)
    assert dataclasses.replace(IMAGE, objects=(whole,)).objects == (whole,)
