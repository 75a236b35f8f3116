"""Detections: where pixels change, sizes, equal runs, errors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from object_detection_patch import pictures
from object_detection_patch.pictures.colours import PALETTE

NAMES = {1: "cat", 2: "dog"}
GREY = np.full((96, 96, 3), 128, np.uint8)


def draw(image=GREY, boxes=((0.25, 0.5, 0.75, 0.9),), **changes):
    arguments = {
        "classes": [1] * len(boxes),
        "scores": [0.9] * len(boxes),
        "label_names": NAMES,
        **changes,
    }
    return pictures.draw_detections(image, boxes, **arguments)


def has_colour(image, colour):
    return bool(np.all(image == np.array(colour), axis=-1).any())


@pytest.mark.parametrize(
    ("side", "factor"), [(1, 4), (96, 4), (120, 3), (200, 2), (360, 1)]
)
def test_small_images_are_enlarged_by_a_whole_factor(side, factor):
    image = np.full((side // 2 + 1, side, 3), 128, np.uint8)
    drawn = draw(image, boxes=())
    assert drawn.shape == (image.shape[0] * factor, side * factor, 3)
    assert (drawn == 128).all()


def test_pixels_change_at_the_box_and_nowhere_else():
    drawn = draw(boxes=[(0.25, 0.5, 0.75, 0.9)])
    changed = np.any(drawn != 128, axis=-1)
    # 383 is the last pixel of 384: the edges.
    top, left, bottom, right = 96, 192, 287, 345
    for row in (top, bottom):
        assert changed[row, left:right].all()
    for column in (left, right):
        assert changed[top:bottom, column].all()
    assert not changed[top + 8 : bottom - 8, left + 8 : right - 8].any()
    outside = changed.copy()
    # The label stands on the box and is about 20 pixels high.
    outside[top - 25 : bottom + 3, left - 3 : right + 3] = False
    assert not outside.any()
    assert changed[top - 20 : top - 3, left : left + 40].any()


def test_colour_is_the_class_and_repeats_with_the_palette():
    for class_id in (1, 2, 8):
        drawn = draw(classes=[class_id])
        expected = PALETTE[(class_id - 1) % 7]
        assert has_colour(drawn, expected)
        for other in set(PALETTE) - {expected}:
            assert not has_colour(drawn, other)


def test_min_score_decides_what_is_drawn():
    both = draw(boxes=[(0.1, 0.1, 0.4, 0.4), (0.5, 0.5, 0.9, 0.9)])
    one = draw(
        boxes=[(0.1, 0.1, 0.4, 0.4), (0.5, 0.5, 0.9, 0.9)],
        scores=[0.9, 0.3],
    )
    only = draw(boxes=[(0.1, 0.1, 0.4, 0.4)])
    np.testing.assert_array_equal(one, only)
    assert (both != one).any()
    assert (draw(scores=[0.3], min_score=0.3) != 128).any()


def test_groundtruth_is_drawn_without_a_number():
    with_number = draw(scores=[1.0])
    without = draw(scores=None)

    # The chip, in the class's colour, is narrower without "100%".
    def chip_width(image):
        row = np.all(image[85] == PALETTE[0], axis=-1)
        return int(row.sum())

    assert 0 < chip_width(without) < chip_width(with_number)


def test_an_id_without_a_name_is_shown_as_its_number():
    unknown = draw(classes=[8], label_names={})
    named = draw(classes=[8], label_names={8: "#8"})
    np.testing.assert_array_equal(unknown, named)


def test_boxes_are_clipped_and_those_outside_not_drawn():
    np.testing.assert_array_equal(
        draw(boxes=[(-0.5, 0.2, 0.5, 2.0)]), draw(boxes=[(0, 0.2, 0.5, 1)])
    )
    assert (draw(boxes=[(0.2, 1.1, 0.4, 1.5)]) == 128).all()
    assert (draw(boxes=[(0, 0, 0, 0)]) == 128).all()


def test_labels_do_not_cover_each_other_where_there_is_room():
    boxes = [(0.4, 0.3, 0.8, 0.8), (0.41, 0.31, 0.81, 0.81)]
    together = draw(boxes=boxes, classes=[1, 2], scores=[0.9, 0.8])
    alone = draw(boxes=boxes[:1], classes=[1], scores=[0.9])
    # The best detection's label stands above its box (row 153) and is whole.
    label = (slice(128, 150), slice(None))
    np.testing.assert_array_equal(together[label], alone[label])
    # The other's stands elsewhere: more rows hold a run of its colour than
    # the three of the upper and the three of the lower edge.
    second = np.all(together == PALETTE[1], axis=-1).sum(axis=1)
    assert (second > 40).sum() >= 12


def test_image_is_not_written_to_and_runs_are_equal():
    image = np.random.default_rng(0).integers(0, 255, (96, 64, 3), np.uint8)
    before = image.copy()
    first, second = draw(image), draw(image)
    np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(first, second)
    first[:] = 0  # the result is the caller's own


@settings(max_examples=60, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    corners=st.lists(
        st.tuples(*[st.floats(-2, 2)] * 4).map(
            lambda c: (
                min(c[0], c[2]), min(c[1], c[3]),
                max(c[0], c[2]), max(c[1], c[3]),
            )
        ),
        max_size=5,
    ),
)  # fmt: skip
def test_any_valid_box_can_be_drawn(shape, corners):
    image = np.zeros((*shape, 3), np.uint8)
    drawn = draw(image, boxes=corners)
    assert drawn.shape == (4 * shape[0], 4 * shape[1], 3)
    assert drawn.dtype == np.uint8


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image": GREY[..., 0]}, r"`image` must be uint8.*\[96, 96\]"),
        ({"image": GREY / 255}, "`image` must be uint8.*float64"),
        ({"image": GREY[:0]}, r"`image` must be uint8.*\[0, 96, 3\]"),
        ({"scores": [0.9, 0.8]}, r"`scores` must have shape \[1\].*\[2\]"),
        ({"classes": [1, 2]}, r"`boxes` must have shape \[2, 4\].*\[1, 4\]"),
        ({"scores": [np.nan]}, "`scores` must be finite.*nan"),
        ({"boxes": [(0, 0, np.inf, 1)]}, "`boxes` must be finite.*inf"),
        ({"boxes": [(0.5, 0, 0.2, 1)]}, "ymax >= ymin.*row 0 is"),
    ],
)
def test_bad_detections(changes, message):
    with pytest.raises(ValueError, match=message):
        draw(**changes)
