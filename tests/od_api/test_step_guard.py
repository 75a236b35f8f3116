"""The first NaN stops training, before it is applied."""

import numpy as np
import pytest
import tensorflow as tf

from object_detection_patch.od_api import compat, step_guard

compat.enable()
from object_detection import model_lib_v2  # noqa: E402


class _Optimizer:
    """Plain gradient descent; remembers nothing."""

    def apply_gradients(self, pairs, **unused):
        for gradient, variable in pairs:
            if gradient is not None:
                variable.assign_sub(gradient)


@pytest.fixture
def weight():
    return tf.Variable([1.0, 2.0], name="weight")


@pytest.fixture
def loop(monkeypatch, weight):
    """Stands for the OD API's step: applies a gradient, returns a loss."""

    def step(model, features, labels, unpad, optimizer, *, global_step=None):
        del labels, unpad, global_step
        loss = tf.debugging.check_numerics(model(features), "Loss/box_loss")
        optimizer.apply_gradients([(features, weight), (None, weight)])
        return loss

    monkeypatch.setattr(model_lib_v2, "eager_train_step", step)

    def run(features, *, step, model=tf.reduce_sum):
        return model_lib_v2.eager_train_step(
            model,
            tf.constant(features),
            None,
            False,
            _Optimizer(),
            global_step=tf.Variable(step, dtype=tf.int64),
        )

    return run


def test_finite_steps_pass(loop, weight):
    seen = []
    after = lambda model, step: seen.append((model, int(step)))  # noqa: E731
    with step_guard.guarded_steps(after) as guard:
        assert guard.step is None
        assert float(loop([0.5, 0.25], step=7)) == 0.75
        assert guard.step == 7
    np.testing.assert_array_equal(weight, [0.5, 1.75])
    assert seen == [(tf.reduce_sum, 7)]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e20])
def test_a_gradient_is_named_and_not_applied(loop, weight, bad):
    with pytest.raises(
        step_guard.NonFiniteError,
        match=r"Received: NaN or infinity in the gradient of weight:0 at step "
        r"12\. The last checkpoint is kept; lower the learning rate",
    ):
        with step_guard.guarded_steps(lambda *unused: None):
            loop([bad, 0.0], step=12, model=lambda unused: tf.constant(0.0))
    np.testing.assert_array_equal(weight, [1.0, 2.0])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_loss_is_named(loop, weight, bad):
    with pytest.raises(
        step_guard.NonFiniteError,
        match="Received: NaN or infinity in Loss/box_loss at step 3",
    ):
        with step_guard.guarded_steps(lambda *unused: None):
            loop([bad, 0.0], step=3)
    np.testing.assert_array_equal(weight, [1.0, 2.0])


def test_inside_a_traced_step(loop, weight):
    traced = tf.function(
        lambda x: model_lib_v2.eager_train_step(
            tf.reduce_sum, x, None, False, _Optimizer(), global_step=step
        )
    )
    step = tf.Variable(1, dtype=tf.int64)
    with pytest.raises(
        step_guard.NonFiniteError, match="NaN or infinity in .* at step 2"
    ):
        with step_guard.guarded_steps(lambda *unused: None):
            traced(tf.constant([0.5, 0.5]))
            step.assign_add(1)
            traced(tf.constant([np.nan, 0.5]))
    np.testing.assert_array_equal(weight, [0.5, 1.5])


def test_other_errors_pass_as_they_are(loop):
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        with step_guard.guarded_steps(lambda *unused: None):
            tf.debugging.assert_equal(1, 2)
    assert not isinstance(caught.value, step_guard.NonFiniteError)


def test_puts_the_step_back():
    original = model_lib_v2.eager_train_step
    with pytest.raises(RuntimeError, match="stop"):
        with step_guard.guarded_steps(lambda *unused: None):
            assert model_lib_v2.eager_train_step is not original
            raise RuntimeError("stop")
    assert model_lib_v2.eager_train_step is original
