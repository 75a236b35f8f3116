"""The OD API's evaluation: in inference mode, checked, and reported."""

import contextlib
import types

import numpy as np
import pytest
import tensorflow as tf

from object_detection_patch.od_api import compat, eval_loop, pipeline_config

compat.enable()
from object_detection import model_lib_v2  # noqa: E402
from object_detection.utils import config_util  # noqa: E402


@pytest.fixture
def evaluated(monkeypatch):
    """Stands for the OD API's evaluation; records how it was called."""
    calls = []

    def loop(model, configs, dataset, use_tpu=False, *, global_step=None):
        mode = getattr(model._box_predictor, "_is_training", None)
        calls.append((mode, configs, dataset, use_tpu, global_step))
        return {"mAP": 0.5}

    monkeypatch.setattr(model_lib_v2, "eager_eval_loop", loop)
    return calls


def _model():
    return types.SimpleNamespace(
        _box_predictor=types.SimpleNamespace(_is_training=True)
    )


@pytest.fixture
def configs(small_world):
    return config_util.create_configs_from_pipeline_proto(
        pipeline_config.read_pipeline(small_world.base_config)
    )


def test_predictor_evaluates_in_inference_mode(evaluated):
    original = model_lib_v2.eager_eval_loop
    with eval_loop.in_inference_mode():
        metrics = model_lib_v2.eager_eval_loop(
            _model(), "c", "d", True, global_step=4
        )
    model_lib_v2.eager_eval_loop(_model(), "c", "d")
    assert metrics == {"mAP": 0.5}
    assert evaluated == [
        (False, "c", "d", True, 4),
        (True, "c", "d", False, None),
    ]
    assert model_lib_v2.eager_eval_loop is original


def test_check_precedes_the_evaluation_and_report_follows(
    small_world, evaluated, configs
):
    original = model_lib_v2.eager_eval_loop
    seen = []
    model = _model()
    with eval_loop.around_evaluation(
        lambda *given: seen.append((*given, len(evaluated))),
        lambda *given: seen.append((*given, len(evaluated))),
    ):
        assert model_lib_v2.eager_eval_loop(
            model, configs, "d", global_step=tf.Variable(9)
        ) == {"mAP": 0.5}
    (checked, before), (reported, after) = seen
    assert (checked, before, after) == (model, 0, 1)
    assert (reported.model, reported.step) == (model, 9)
    assert (reported.images, reported.seen) == ([], [])
    assert reported.pipeline == pipeline_config.read_pipeline(
        small_world.base_config
    )
    assert model_lib_v2.eager_eval_loop is original


def test_what_is_watched_during_an_evaluation_is_reported(evaluated, configs):
    reports = []

    @contextlib.contextmanager
    def within(model):
        seen = []
        yield seen
        seen.append((model, len(evaluated)))

    model = _model()
    with eval_loop.around_evaluation(lambda _: None, reports.append, within):
        model_lib_v2.eager_eval_loop(
            model, configs, "d", global_step=tf.Variable(9)
        )
    assert reports[0].seen == [(model, 1)]


@pytest.mark.parametrize(
    "context",
    [
        eval_loop.in_inference_mode,
        lambda: eval_loop.around_evaluation(print, print),
    ],
)
def test_puts_back_after_an_error(context):
    original = model_lib_v2.eager_eval_loop
    with pytest.raises(RuntimeError, match="stop"):
        with context():
            assert model_lib_v2.eager_eval_loop is not original
            raise RuntimeError("stop")
    assert model_lib_v2.eager_eval_loop is original


_BOX, _OTHER, _PADDING = [1, 2, 3, 4], [5, 5, 9, 9], [0, 0, 0, 0]


def _batch():
    """Two images, padded to two boxes and three detections."""
    return {
        "num_groundtruth_boxes": tf.constant([2, 1]),
        "groundtruth_boxes": tf.constant(
            [[_BOX, _OTHER], [_OTHER, _PADDING]], tf.float32
        ),
        "groundtruth_classes": tf.constant([[3, 1], [2, 1]], tf.int64),
        "groundtruth_difficult": tf.constant([[0, 1], [1, 0]], tf.int32),
        "groundtruth_is_crowd": tf.constant([[True, False], [False, False]]),
        "detection_boxes": tf.constant(
            [[_BOX, _OTHER, _PADDING], [_BOX, _PADDING, _PADDING]], tf.float32
        ),
        "detection_scores": tf.constant([[0.9, 0.2, 0], [0.5, 0, np.nan]]),
        "detection_classes": tf.constant([[3, 2, 1], [1, 1, 1]], tf.int64),
        "original_image": tf.zeros([2, 9, 9, 3]),
    }


@pytest.fixture
def images(monkeypatch, configs):
    """What is collected of two equal batches."""

    def loop(model, configs, dataset, *, global_step=None):
        for batch in dataset:
            assert model_lib_v2.prepare_eval_dict({}, {}, batch) == (batch, 0)

    monkeypatch.setattr(model_lib_v2, "eager_eval_loop", loop)
    monkeypatch.setattr(
        model_lib_v2, "prepare_eval_dict", lambda _, __, batch: (batch, 0)
    )
    original, reports = model_lib_v2.prepare_eval_dict, []
    with eval_loop.around_evaluation(lambda _: None, reports.append):
        model_lib_v2.eager_eval_loop(
            _model(), configs, [_batch(), _batch()], global_step=0
        )
    assert model_lib_v2.prepare_eval_dict is original
    return reports[0].images


def test_collects_each_image_without_its_padding(images):
    assert len(images) == 4
    first, second = images[:2]
    np.testing.assert_array_equal(first.true_boxes, [_BOX, _OTHER])
    np.testing.assert_array_equal(first.true_classes, [3, 1])
    np.testing.assert_array_equal(first.boxes, [_BOX, _OTHER])
    np.testing.assert_array_equal(first.scores, np.float32([0.9, 0.2]))
    np.testing.assert_array_equal(first.classes, [3, 2])
    np.testing.assert_array_equal(second.true_boxes, [_OTHER])
    np.testing.assert_array_equal(second.true_classes, [2])
    np.testing.assert_array_equal(second.boxes, [_BOX])
    np.testing.assert_array_equal(second.scores, np.float32([0.5]))


def test_collects_flags_and_takes_a_missing_one_for_no(images):
    first, second = images[:2]
    assert first.difficult.tolist() == [False, True]
    assert first.is_crowd.tolist() == [True, False]
    assert first.group_of.tolist() == [False, False]
    assert second.difficult.tolist() == [True]
    assert second.group_of.dtype == bool
