"""Pascal VOC's definition, where it reads the curve."""

import pytest

from object_detection_patch.decathlon.mean_ap import (
    Detections,
    GroundTruth,
    mean_average_precision,
)


def test_eleven_points_at_a_recall_that_rounds_badly():
    # Three of ten objects found: 3 / 10 < 0.1 * 3 in floating point, yet
    # recall 0.3 is reached: 4 points of 11.
    boxes = [[0, 100 * i, 10, 100 * i + 10] for i in range(10)]
    result = mean_average_precision(
        [Detections(boxes[:3], [0.9, 0.8, 0.7], [1] * 3)],
        [GroundTruth(boxes, [1] * 10)],
        definition="pascal07",
    )
    assert result.value == pytest.approx(4 / 11, abs=1e-9)
