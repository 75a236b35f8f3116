"""Placing boxes: worked by hand, and against a reimplementation in numpy."""

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tfrecords_tools.boxes import BoxConvention, frame_of, place
from tfrecords_tools.record import AnnotatedImage, AnnotatedObject, EdgeRule

STRICT, ODAPI = BoxConvention.STRICT, BoxConvention.ODAPI
PIXELS, FRACTIONS = EdgeRule.PIXELS, EdgeRule.FRACTIONS
INCLUSIVE = EdgeRule.ONE_BASED_INCLUSIVE
FRAME = (8, 4)


def box(xmin, ymin, xmax, ymax):
    return AnnotatedObject(
        name="a", label=1, xmin=xmin, ymin=ymin, xmax=xmax, ymax=ymax
    )


@pytest.mark.parametrize(
    ("edges", "rule", "convention", "expected"),
    [
        ((2, 1, 6, 3), PIXELS, STRICT, (0.25, 0.25, 0.75, 0.75)),
        ((2, 1, 6, 3), PIXELS, ODAPI, (0.25, 0.25, 0.75, 0.75)),
        # Pixels 1 to 8 of 8 are the whole width.
        ((1, 1, 8, 4), INCLUSIVE, STRICT, (0, 0, 1, 1)),
        ((1, 1, 8, 4), INCLUSIVE, ODAPI, (0.125, 0.25, 1, 1)),
        # A single pixel has an area, by the strict reading alone.
        ((3, 2, 3, 2), INCLUSIVE, STRICT, (0.25, 0.25, 0.375, 0.5)),
        ((3, 2, 3, 2), INCLUSIVE, ODAPI, "zero width"),
        ((3, 2, 4, 2), INCLUSIVE, ODAPI, "zero height"),
        ((0.25, 0.5, 1, 0.75), FRACTIONS, STRICT, (0.25, 0.5, 1, 0.75)),
        ((0.25, 0.5, 1, 0.75), FRACTIONS, ODAPI, (0.25, 0.5, 1, 0.75)),
        ((2, 1, 2, 3), PIXELS, STRICT, "zero width"),
        ((2, 1, 6, 1), PIXELS, STRICT, "zero height"),
        ((6, 1, 2, 3), PIXELS, STRICT, "negative width"),
        ((2, 3, 6, 1), PIXELS, STRICT, "negative height"),
        ((8, 1, 9, 3), PIXELS, STRICT, "outside the image"),
        ((-3, 1, 0, 3), PIXELS, STRICT, "outside the image"),
        ((2, 4, 6, 5), PIXELS, STRICT, "outside the image"),
        ((2, -2, 6, -1), PIXELS, STRICT, "outside the image"),
        ((0.5, 0, 0.5 + 1e-12, 1), FRACTIONS, STRICT, "too small for float32"),
        ((0, 0, 1e-60, 1), FRACTIONS, STRICT, "too small for float32"),
    ],
)
def test_places_worked_by_hand(edges, rule, convention, expected):
    placed = place(box(*edges), rule, FRAME, convention)
    if isinstance(expected, str):
        assert (placed.edges, placed.lost) == (None, expected)
    else:
        assert (placed.edges, placed.lost) == (expected, "")
    assert not placed.clipped


@pytest.mark.parametrize(
    ("edges", "rule", "expected"),
    [
        ((-1, 1, 4, 3), PIXELS, (0, 0.25, 0.5, 0.75)),
        ((2, 1, 8.5, 3), PIXELS, (0.25, 0.25, 1, 0.75)),
        ((2, -9, 4, 99), PIXELS, (0.25, 0, 0.5, 1)),
        ((0, 1, 8, 4), INCLUSIVE, (0, 0, 1, 1)),  # There is no pixel 0.
        ((0.5, 0, 1.25, 1), FRACTIONS, (0.5, 0, 1, 1)),
    ],
)
def test_what_lies_outside_is_clipped_and_told(edges, rule, expected):
    placed = place(box(*edges), rule, FRAME, STRICT)
    assert (placed.edges, placed.clipped) == (expected, True)


def by_numpy(edges, rule, frame, convention):
    """(float32 edges or None, whether clipped), in vectors."""
    moved = np.array(edges, np.float64)
    if rule is INCLUSIVE and convention is STRICT:
        moved[:2] -= 1
    limits = np.tile((1, 1) if rule is FRACTIONS else frame, 2)
    inside = np.clip(moved, 0, limits)
    rounded = (inside / limits).astype(np.float32)
    good = [(v[2:] > v[:2]).all() for v in (moved, inside, rounded)]
    return (rounded if all(good) else None), (inside != moved).any()


SIZES = st.tuples(st.integers(1, 20000), st.integers(1, 20000))
PLAIN = st.integers(-5, 300) | st.floats(-5, 300) | st.floats(-0.1, 1.1)
EDGES = st.tuples(*[PLAIN] * 4) | st.tuples(
    *[st.floats(allow_nan=False, allow_infinity=False)] * 4
)


@given(EDGES, st.sampled_from(EdgeRule), SIZES, st.sampled_from(BoxConvention))
@example((0, 0, 1e-46, 1), FRACTIONS, (1, 1), STRICT)
@example((1 - 1e-17, 0, 1, 1), FRACTIONS, (1, 1), STRICT)
def test_place_equals_numpy_and_stays_inside(edges, rule, frame, convention):
    placed = place(box(*edges), rule, frame, convention)
    expected, clipped = by_numpy(edges, rule, frame, convention)
    if expected is None:
        assert placed.edges is None
        assert placed.lost and not placed.clipped
        return
    np.testing.assert_array_equal(np.float32(placed.edges), expected)
    assert placed.clipped == clipped
    # The record rounds to float32 again: nothing may change by that.
    assert tuple(map(float, np.float32(placed.edges))) == placed.edges
    xmin, ymin, xmax, ymax = placed.edges
    assert 0 <= xmin < xmax <= 1
    assert 0 <= ymin < ymax <= 1


def annotated(size, *edges):
    return AnnotatedImage(
        path=Path("d/f"),
        filename="f",
        source_id="s",
        size=size,
        objects=tuple(box(*e) for e in edges),
    )


@pytest.mark.parametrize(
    ("size", "xmax", "ymax", "expected"),
    [
        (None, 90, 90, (40, 30)),  # Nothing annotated.
        ((40, 30), 90, 90, (40, 30)),
        ((80, 60), 80, 60, (80, 60)),  # Fits the annotated size only.
        ((80, 60), 40, 60, (80, 60)),  # Too tall is enough.
        ((80, 60), 40, 30, (40, 30)),  # Fits both.
        ((80, 60), 81, 60, (40, 30)),  # Fits neither.
        ((30, 40), 25, 35, (30, 40)),  # Transposed in the annotation.
        ((20, 15), 25, 20, (40, 30)),  # Fits the decoded size only.
        ((0, 0), 25, 20, (40, 30)),
    ],
)
def test_frame_is_the_decoded_one_unless_boxes_fit_the_other_only(
    size, xmax, ymax, expected
):
    image = annotated(size, (1, 1, 2, 2), (1, 1, xmax, ymax))
    assert frame_of(image, (40, 30)) == expected


def test_frame_without_boxes_is_the_decoded_one():
    assert frame_of(annotated((80, 60)), (40, 30)) == (40, 30)


@pytest.mark.parametrize(
    "size", [*itertools.product((0, -1, 5), (0, 99)), (10**9, 0)]
)
def test_an_absurd_annotated_size_never_divides_by_zero(size):
    image = annotated(size, (-3, 5, -1, 60), (-2, -2, 0, 0))
    frame = frame_of(image, (40, 30))
    for one in image.objects:
        place(one, image.edge_rule, frame, STRICT)


def test_fractions_refer_to_any_frame():
    image = annotated((80, 60), (0.5, 0.5, 1, 1))
    image = dataclasses.replace(image, edge_rule=FRACTIONS)
    assert frame_of(image, (40, 30)) == (40, 30)
