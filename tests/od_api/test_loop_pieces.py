"""The OD API's step without its end: gradients are handed out, not applied."""

import types

import numpy as np
import pytest
import tensorflow as tf

from object_detection_patch.od_api import compat, loop_pieces, step_guard

compat.enable()
from object_detection import model_lib_v2  # noqa: E402


@pytest.fixture
def weight():
    return tf.Variable([1.0, 2.0], name="weight")


@pytest.fixture
def seen(monkeypatch, weight):
    """Stands for the OD API's step and keeps its options."""
    options = {}

    def step(model, features, labels, unpad, optimizer, **given):
        options.update(given, labels=labels, unpad=unpad)
        optimizer.apply_gradients(
            [(features, weight), (None, weight)], any_option=1
        )
        return model(features)

    monkeypatch.setattr(model_lib_v2, "eager_train_step", step)
    return options


def _gradients(features, clip=0.0):
    return loop_pieces.gradients(
        tf.reduce_sum,
        tf.constant(features),
        "labels",
        types.SimpleNamespace(
            unpad_groundtruth_tensors=True,
            add_regularization_loss=False,
            gradient_clipping_by_norm=clip,
        ),
        rate=0.5,
        step=tf.Variable(3),
    )


def test_gradients_are_caught_and_nothing_moves(seen, weight):
    loss, pairs = _gradients([0.5, 0.25])
    assert float(loss) == 0.75
    (first, one), (second, other) = pairs
    np.testing.assert_array_equal(first, [0.5, 0.25])
    assert second is None
    assert one is other is weight
    np.testing.assert_array_equal(weight, [1.0, 2.0])


def test_the_config_reaches_the_step(seen):
    _gradients([0.5, 0.25])
    assert seen["clip_gradients_value"] is None
    _gradients([0.5, 0.25], clip=2.0)
    assert seen["clip_gradients_value"] == 2.0
    assert (seen["labels"], seen["unpad"]) == ("labels", True)
    assert seen["add_regularization_loss"] is False
    assert (seen["learning_rate"], seen["num_replicas"]) == (0.5, 1)


def test_a_gradient_that_is_not_finite_is_named(seen):
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        _gradients([np.nan, 0.0])
    name = step_guard.non_finite_name(str(caught.value))
    assert name == "the gradient of weight:0"


def test_slots_are_made_before_a_step():
    from google.protobuf import text_format
    from object_detection.protos import optimizer_pb2

    step = tf.Variable(0, dtype=tf.int64)
    optimizer, rate = loop_pieces.build_optimizer(
        text_format.Parse(
            "adam_optimizer { learning_rate { constant_learning_rate { "
            "learning_rate: 0.25 } } } use_moving_average: false",
            optimizer_pb2.Optimizer(),
        ),
        step,
    )
    assert float(rate()) == 0.25
    loop_pieces.make_slots(optimizer, [tf.Variable([1.0, 2.0])])
    # Adam's step, and two numbers for each weight.
    assert sum(int(tf.size(v)) for v in optimizer.weights) == 1 + 2 * 2
