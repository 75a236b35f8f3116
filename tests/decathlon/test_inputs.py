"""What detections and groundtruth are taken, and what is refused."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from object_detection_patch.decathlon.inputs import Detections, GroundTruth

BOX = [0.0, 0.0, 10.0, 10.0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[0, 0, 1]], [0.5], [1]), r"shape \[N, 4\].*shape \[1, 3\]"),
        (([0, 0, 1, 1], [0.5], [1]), r"shape \[N, 4\].*shape \[4\]"),
        (([BOX], [0.5, 0.4], [1]), r"scores.* shape \[1\].*\[2\]"),
        (([BOX], [0.5], [[1]]), r"classes.* shape \[1\].*\[1, 1\]"),
        (([BOX], [math.nan], [1]), r"scores` must be finite.*nan at \[0\]"),
        (
            ([[0, 0, math.inf, 1]], [0.5], [1]),
            r"boxes` must be finite.*inf at \[0, 2\]",
        ),
        (
            ([BOX, [0, 9, 10, 8]], [0.5, 0.5], [1, 1]),
            r"xmax >= xmin.*row 1 is \[0.0, 9.0, 10.0, 8.0\]",
        ),
        (([BOX], [0.5], [0]), "classes` must be >= 1.*Received: 0$"),
        (([BOX], [0.5], [-1]), "classes` must be >= 1.*Received: -1$"),
        (([BOX], [0.5], [1.5]), "classes` must be integers.*1.5"),
        (([BOX], [0.5], [math.nan]), "classes` must be finite"),
    ],
)
def test_bad_detections(arguments, message):
    with pytest.raises(ValueError, match=message):
        Detections(*arguments)


@pytest.mark.parametrize(
    ("boxes", "classes", "flags", "message"),
    [
        ([[0, 0, 0, 0]], [1], {}, r"positive area.*row 0 is \[0.0, 0.0"),
        ([[5, 0, 2, 4]], [1], {}, r"ymax >= ymin.*row 0"),
        ([BOX], [0], {}, "GroundTruth.classes` must be >= 1"),
        ([BOX], [1], {"difficult": [0, 1]}, r"difficult.* shape \[1\]"),
        ([BOX], [1], {"group_of": [-1]}, "group_of` must be 0 or 1.*-1"),
        ([BOX], [1], {"is_crowd": [2]}, "is_crowd` must be 0 or 1.*2"),
    ],
)
def test_bad_groundtruth(boxes, classes, flags, message):
    with pytest.raises(ValueError, match=message):
        GroundTruth(boxes, classes, **flags)


@settings(max_examples=300, deadline=None)
@given(
    boxes=arrays.arrays(
        np.float64,
        arrays.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=5),
    ),
    scores=arrays.arrays(np.float64, st.integers(0, 5)),
    classes=arrays.arrays(np.int64, st.integers(0, 5)),
)
def test_any_arrays_are_taken_or_refused_with_a_value_error(
    boxes, scores, classes
):
    try:
        found = Detections(boxes, scores, classes)
    except ValueError as error:
        assert "Received: " in str(error)
    else:
        assert len(found.boxes) <= len(boxes)
        assert found.classes.min(initial=1) >= 1
