"""A detector in LiteRT against what its colours must give."""

from collections.abc import Callable

import numpy as np
import pytest

from object_detection_patch.demo.detector import Detector, Found


def _image(size: int = 8) -> np.ndarray:
    """Red top left, a darker blue bottom right, the rest black."""
    half = size // 2
    image = np.zeros([size, size, 3], np.uint8)
    image[:half, :half, 0] = 255
    image[half:, half:, 2] = 204
    return image


def _found(model: bytes, image: np.ndarray) -> Found:
    detector = Detector(model)
    detector.run(detector.prepared(image))
    return detector.found(image)


def test_it_finds_what_is_there(tiny_detector: Callable[..., bytes]) -> None:
    image = _image()
    found = _found(tiny_detector(), image)
    # The score is the colour, mapped from 0..255 to -1..1; below 0 is none.
    np.testing.assert_allclose(found.scores, [1, 204 / 127.5 - 1], rtol=1e-6)
    np.testing.assert_array_equal(found.classes, [1, 3])
    np.testing.assert_allclose(
        found.boxes, [[0, 0, 0.5, 0.5], [0.5, 0.5, 1, 1]], atol=1e-6
    )
    assert found.image is image


def test_black_holds_nothing(tiny_detector: Callable[..., bytes]) -> None:
    found = _found(tiny_detector(), np.zeros([8, 8, 3], np.uint8))
    assert found.boxes.shape == (0, 4)
    assert found.scores.shape == found.classes.shape == (0,)


def test_any_size_is_brought_to_the_models(
    tiny_detector: Callable[..., bytes],
) -> None:
    detector = Detector(tiny_detector())
    prepared = detector.prepared(np.full([30, 50, 3], 51, np.uint8))
    assert prepared.shape == (1, 8, 8, 3)
    assert prepared.dtype == np.float32
    np.testing.assert_allclose(prepared, 51 / 127.5 - 1, rtol=1e-6)


def test_labels_are_in_the_model(tiny_detector: Callable[..., bytes]) -> None:
    # The second class has no display name, so its name is shown.
    assert Detector(tiny_detector()).label_names == ["Red", "green", "Bläu"]


def test_a_model_without_labels_or_metadata_is_refused(
    tiny_detector: Callable[..., bytes],
) -> None:
    with pytest.raises(ValueError, match="must end in a zip archive"):
        Detector(tiny_detector(label_map=None))
    with pytest.raises(ValueError, match="must hold TFLite Model Metadata"):
        Detector(tiny_detector(metadata=b""))
