"""What annotations say is kept as it is, unless no converter may say it."""

import dataclasses
import math
from pathlib import Path

import pytest

from tfrecords_tools.record import AnnotatedImage, AnnotatedObject, EdgeRule

CAT = AnnotatedObject(name="cat", label=1, xmin=2, ymin=1, xmax=8, ymax=4)
IMAGE = AnnotatedImage(
    path=Path("d/a/b.jpg"), filename="a/b.jpg", source_id="b", objects=(CAT,)
)


def test_edges_are_in_the_order_of_their_names():
    assert CAT.edges == (2, 1, 8, 4)


def test_defaults_are_an_ordinary_object_in_continuous_pixels():
    flags = (CAT.difficult, CAT.truncated, CAT.is_crowd, CAT.group_of)
    assert flags == (False, False, False, False)
    assert (CAT.area, CAT.occluded, dict(CAT.extra)) == (None, 0, {})
    assert (IMAGE.edge_rule, IMAGE.size) == (EdgeRule.PIXELS, None)
    assert (dict(IMAGE.dropped), IMAGE.remarks) == ({}, ())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": ""}, "`name` must not be empty"),
        ({"label": 0}, "label of 'cat' must be 1 or more.* Received: 0"),
        ({"xmin": math.nan}, r"must be finite. .*: \(nan, 1, 8, 4\)"),
        ({"ymin": -math.inf}, r"must be finite. .*: \(2, -inf, 8, 4\)"),
        ({"xmax": math.inf}, "edges of 'cat' must be finite"),
        ({"ymax": math.nan}, "must be finite"),
    ],
)
def test_object_refuses(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(CAT, **change)


@pytest.mark.parametrize(
    "edges", [(8, 4, 2, 1), (2, 1, 2, 1), (-9, -9, 900, 900)]
)
def test_edges_may_be_wrong_as_long_as_they_are_numbers(edges):
    xmin, ymin, xmax, ymax = edges
    box = dataclasses.replace(CAT, xmin=xmin, ymin=ymin, xmax=xmax, ymax=ymax)
    assert box.edges == edges


@pytest.mark.parametrize("field", ["source_id", "filename"])
def test_image_refuses_an_empty_name(field):
    with pytest.raises(ValueError, match=r"not be empty.*\(d/a/b.jpg\)"):
        dataclasses.replace(IMAGE, **{field: ""})
