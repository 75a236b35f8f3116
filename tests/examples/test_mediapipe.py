"""MediaPipe's ObjectDetector takes models with our metadata and labels."""

import numpy as np
import pytest

mediapipe = pytest.importorskip("mediapipe")


@pytest.mark.parametrize(
    "outputs",
    [
        ("location", "category", "score", "number of detections"),
        ("score", "location", "number of detections", "category"),
    ],
)
def test_objects_are_found_and_named(tiny_detector, quarters, outputs):
    from mediapipe.tasks import python as tasks
    from mediapipe.tasks.python import vision

    options = vision.ObjectDetectorOptions(
        tasks.BaseOptions(model_asset_buffer=tiny_detector(outputs=outputs)),
        score_threshold=0.4,
    )
    image = mediapipe.Image(mediapipe.ImageFormat.SRGB, quarters)
    with vision.ObjectDetector.create_from_options(options) as detector:
        red, blue = detector.detect(image).detections
    for found, label, score, corner in (
        (red, "Red", 1.0, (0, 0)),
        (blue, "Bläu", 0.6, (24, 16)),
    ):
        (category,) = found.categories
        assert category.category_name == label
        # MediaPipe resizes in its own way, which blurs the quarters' edges.
        assert category.score == pytest.approx(score, abs=0.2)
        box = found.bounding_box
        np.testing.assert_allclose((box.origin_x, box.origin_y), corner, atol=1)
        np.testing.assert_allclose((box.width, box.height), (24, 16), atol=1)
