"""mAP of a task's images, and the pictures that are kept of them."""

from __future__ import annotations

import numpy as np
import pytest

from object_detection_patch.decathlon.running import accuracy
from object_detection_patch.decathlon.running.folder import open_folder
from object_detection_patch.demo import drawn
from object_detection_patch.od_api.evaluation import EvaluatedImage
from tests.decathlon.suite.suites_to_test import task

_GAPS = """
item { id: 5 name: 'bird' }
item { id: 2 name: 'n02' display_name: 'cat' }
"""


def _image(found=(0.0, 0.0, 0.5, 0.5), **changes):
    """One object of class 2 in the upper left, and one detection."""
    return EvaluatedImage(
        **{
            "source_id": "a",
            "image": np.full((8, 8, 3), 7, np.uint8),
            "true_boxes": np.array([[0.0, 0.0, 0.5, 0.5]], np.float32),
            "true_classes": np.array([2]),
            "difficult": np.zeros(1, bool),
            "is_crowd": np.zeros(1, bool),
            "group_of": np.zeros(1, bool),
            "boxes": np.array([found], np.float32),
            "scores": np.array([0.9], np.float32),
            "classes": np.array([2]),
            **changes,
        }
    )


_MISSED = (0.5, 0.5, 1.0, 1.0)


def test_both_definitions_are_measured():
    found = accuracy._accuracy(task("birds"), [_image(), _image(_MISSED)])

    # A hit and a false alarm of one score: precision 1 up to recall 0.5.
    assert found.pascal == pytest.approx(0.5)
    assert found.coco == pytest.approx(51 / 101)


@pytest.mark.parametrize(
    ("honoured", "value"), [((), 0.5), (("difficult",), 1.0)]
)
def test_flags_count_where_the_task_says_so(honoured, value):
    difficult = _image(
        boxes=np.zeros((0, 4), np.float32),
        scores=np.zeros(0, np.float32),
        classes=np.zeros(0, np.int64),
        difficult=np.ones(1, bool),
    )
    flagged = task("birds", honoured_flags=honoured)

    found = accuracy._accuracy(flagged, [_image(), difficult])
    assert found.pascal == pytest.approx(value)


def test_pixels_are_kept_of_the_drawn_images_alone():
    count = drawn.IMAGES + 3
    images = accuracy._light(_image() for _ in range(count))

    assert [image.image.size for image in images] == [
        *(8 * 8 * 3 for _ in range(drawn.IMAGES)),
        *(0, 0, 0),
    ]
    assert all(np.array_equal(i.boxes, _image().boxes) for i in images)


def test_names_of_pictures_stand_at_their_ids(tmp_path):
    folder = open_folder(tmp_path / "out", str(tmp_path))
    birds = task("birds")
    (tmp_path / birds.label_map).write_text(_GAPS, encoding="utf-8")
    picture = tmp_path / "out" / "work" / "drawn.npz"
    accuracy.keep_drawn(folder.path(birds.label_map), [_image()], picture)

    with np.load(picture) as kept:
        assert kept["label_names"].tolist() == ["", "cat", "", "", "bird"]
        assert np.array_equal(kept["image_0"], _image().image)
        assert kept["classes_0"].tolist() == [2]
    (image,) = drawn.draw(str(picture))
    assert image.shape[-1] == 3
