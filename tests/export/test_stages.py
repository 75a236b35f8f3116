"""Each stage counts the same number of detections of an image."""

from __future__ import annotations

import types

import numpy as np
import pytest

from object_detection_patch.export import stages
from object_detection_patch.od_api.evaluation import EvaluatedImage


def _boxes(*corners):
    """Squares of a tenth at these corners."""
    left = np.array(corners, np.float32).reshape(-1, 1)
    return np.hstack([left, left, left + 0.1, left + 0.1])


def _image(scores):
    """One object in each of three classes, and a right box for each."""
    flags = np.zeros(3, bool)
    truth = _boxes(0.0, 0.3, 0.6)
    return EvaluatedImage(
        source_id="one",
        image=np.zeros((8, 8, 3), np.uint8),
        true_boxes=truth,
        true_classes=np.array([1, 2, 3]),
        difficult=flags,
        is_crowd=flags,
        group_of=flags,
        boxes=truth,
        scores=np.array(scores, np.float32),
        classes=np.array([1, 2, 3]),
    )


@pytest.fixture
def base(monkeypatch):
    """A base whose Keras model finds what `_image` says."""
    made = types.SimpleNamespace(
        model="model", map_path="map", pipeline="pipeline", seen=[]
    )

    def detect(model, records, *, label_map_path):
        made.seen.append((model, records, label_map_path))
        yield _image([0.5, 0.9, 0.7])

    def exported(*arguments):
        made.seen.append(arguments)
        return 0.25

    monkeypatch.setattr(stages.evaluation, "detect", detect)
    monkeypatch.setattr(stages.runtime, "mean_average_precision", exported)
    return made


@pytest.mark.parametrize(("limit", "found"), [(1, 1), (2, 2), (3, 3), (99, 3)])
def test_so_many_detections_count(base, limit, found):
    measured = stages.Stages(base, "a.record", limit)
    measured.measure_keras("before")
    # One of three classes is found by each detection that counts.
    assert measured.accuracy == {"before": pytest.approx(found / 3)}
    assert base.seen == [("model", ["a.record"], "map")]


def test_the_best_scored_ones_stay():
    image = stages.best_detections(_image([0.5, 0.9, 0.7]), 2)
    np.testing.assert_array_equal(image.classes, [2, 3])
    np.testing.assert_allclose(image.scores, [0.9, 0.7])
    np.testing.assert_array_equal(image.boxes, _boxes(0.3, 0.6))
    assert len(image.true_boxes) == 3


def test_of_equal_scores_the_first_stay():
    image = stages.best_detections(_image([0.5, 0.5, 0.5]), 2)
    np.testing.assert_array_equal(image.classes, [1, 2])


def test_stages_stay_in_order(base):
    measured = stages.Stages(base, "a.record", 10)
    measured.measure_keras("before")
    measured.measure_exported("base.tflite", b"file")
    assert list(measured.accuracy) == ["before", "base.tflite"]
    assert measured.accuracy["base.tflite"] == 0.25
    assert base.seen[1] == (b"file", "pipeline", ["a.record"], "map")


def test_without_records_nothing_is_measured(base):
    measured = stages.Stages(base, None, 10)
    measured.measure_keras("before")
    measured.measure_exported("base.tflite", b"file")
    assert (measured.accuracy, base.seen) == ({}, [])
