"""Detections kept by one process and drawn by another."""

import dataclasses
import pathlib

import numpy as np

from object_detection_patch.demo import drawn


@dataclasses.dataclass(frozen=True)
class _Image:
    image: np.ndarray
    boxes: np.ndarray
    scores: np.ndarray
    classes: np.ndarray


def _image(score: float) -> _Image:
    return _Image(
        np.full((400, 400, 3), 90, np.uint8),
        np.array([[0.25, 0.25, 0.75, 0.75]]),
        np.array([score]),
        np.array([2]),
    )


def test_what_is_saved_is_drawn(tmp_path: pathlib.Path) -> None:
    path = str(tmp_path / "a.npz")
    drawn.save(path, [_image(0.9), _image(0.1)], ["one", "two"])
    with np.load(path) as arrays:
        assert arrays["label_names"].tolist() == ["one", "two"]
        np.testing.assert_array_equal(arrays["classes_1"], [2])
    confident, doubtful = drawn.draw(path)
    assert confident.shape == (400, 400, 3)
    # The box's edges differ from the image, its inside does not.
    assert (confident[200, 100] != 90).any()
    assert (confident[200, 200] == 90).all()
    assert (doubtful == 90).all()


def test_no_image_is_no_picture(tmp_path: pathlib.Path) -> None:
    path = str(tmp_path / "a.npz")
    drawn.save(path, [], ["one"])
    assert drawn.draw(path) == []
