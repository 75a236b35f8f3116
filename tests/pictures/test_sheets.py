"""Sheets: every image whole and in place, titles, errors."""

import numpy as np
import pytest

from object_detection_patch import pictures

GREY = np.full((96, 96, 3), 128, np.uint8)


def flat(height, width, value):
    return np.full((height, width, 3), value, np.uint8)


def test_sheet_holds_every_image_whole_and_in_order():
    rows = [
        [flat(40, 60, 10), flat(30, 50, 20)],
        [flat(20, 60, 30), flat(20, 70, 40)],
    ]
    sheet = pictures.side_by_side(rows, ["base", "patch"], ["near", "far"])
    places = {}
    for row in rows:
        for image in row:
            value = image[0, 0, 0]
            found = np.argwhere(np.all(sheet == value, axis=-1))
            low, high = found.min(axis=0), found.max(axis=0)
            # Antialiased text has stray pixels of many greys; the image is
            # the block of its size.
            assert len(found) >= image.shape[0] * image.shape[1]
            places[value] = np.median(found, axis=0)
            assert (high - low + 1 >= image.shape[:2]).all()
    assert places[10][1] < places[20][1] and places[30][1] < places[40][1]
    assert places[10][0] < places[30][0] and places[20][0] < places[40][0]


def test_sheet_shows_its_titles():
    rows = [[flat(40, 60, 10)]]
    plain = pictures.side_by_side(rows, [""], [""])
    column = pictures.side_by_side(rows, ["base"], [""])
    row = pictures.side_by_side(rows, [""], ["near"])
    assert (column != plain).any()
    assert row.shape[1] > plain.shape[1]
    wide = pictures.side_by_side(rows, ["a much wider title"], [""])
    assert wide.shape[1] > plain.shape[1]
    two_lines = pictures.side_by_side(rows, ["base\n41 kB"], [""])
    assert two_lines.shape[0] > plain.shape[0]


@pytest.mark.parametrize(
    ("rows", "columns", "titles", "message"),
    [
        ([], ["a"], [], "at least one image. Received: 0 rows"),
        ([[]], [], ["a"], "at least one image.* 0 column titles"),
        ([[GREY]], ["a", "b"], ["a"], r"rows of \[1\] images.*2 column"),
        ([[GREY], [GREY, GREY]], ["a"], ["a", "b"], r"rows of \[1, 2\]"),
        ([[GREY]], ["a"], ["a", "b"], "2 row titles"),
        ([[GREY, GREY[0]]], ["a", "b"], ["c"], r"`rows\[0\]\[1\]` must be"),
    ],
)
def test_bad_sheet(rows, columns, titles, message):
    with pytest.raises(ValueError, match=message):
        pictures.side_by_side(rows, columns, titles)
