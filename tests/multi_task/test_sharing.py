"""The second model of an architecture takes the first one's variables."""

import numpy as np
import pytest
import tensorflow as tf

from object_detection_patch import hosts as hosts_lib
from object_detection_patch.keras_version import keras
from object_detection_patch.multi_task import sharing


def _model(classes, *, extra=False):
    layers = keras.layers
    inputs = outputs = keras.Input((4, 4, 3))
    for layer in (
        *([layers.Conv2D(3, 1, name="extra")] if extra else []),
        layers.Conv2D(
            2, 3, kernel_regularizer=keras.regularizers.L2(0.5), name="conv"
        ),
        layers.BatchNormalization(name="norm"),
        layers.Flatten(),
        layers.Dense(classes, name="head"),
    ):
        outputs = layer(outputs)
    return keras.Model(inputs, outputs)


def _hosts(model):
    return hosts_lib.find_hosts(
        ("class_head" if layer.name == "head" else "backbone", layer)
        for layer in model.layers
    )


@pytest.fixture
def pair():
    with sharing.recorded() as made:
        first = _model(3)
    hosts = _hosts(first)
    shared = sharing.shared_tensors(hosts, hosts.batch_norms[0].tensors())
    with sharing.sharing(made, list(shared.values())):
        second = _model(5)
    return first, second, shared


def test_shared_variables_are_the_same_and_others_are_not(pair):
    first, second, shared = pair
    assert set(shared) == {"backbone/conv/kernel", "backbone/conv/bias"}
    for one, other in zip(first.weights, second.weights, strict=True):
        is_shared = any(one is variable for variable in shared.values())
        assert (one is other) == is_shared
    sharing.refuse_unshared(_hosts(second), shared, first="a", other="b")


def test_regularisers_and_checkpoints_know_the_shared_variable(pair, tmp_path):
    first, second, shared = pair
    kernel = shared["backbone/conv/kernel"]
    with tf.GradientTape() as tape:
        (loss,) = second.losses
    np.testing.assert_allclose(tape.gradient(loss, kernel), kernel.numpy())

    path = tf.train.Checkpoint(model=second).save(str(tmp_path / "ckpt"))
    before = kernel.numpy()
    kernel.assign(tf.zeros_like(kernel))
    alone = _model(5)
    for model in (alone, second):
        tf.train.Checkpoint(model=model).restore(path).assert_consumed()
        np.testing.assert_array_equal(model.layers[1].kernel, before)
    assert first.layers[1].kernel is kernel


def test_another_order_of_variables_is_refused(pair):
    _, _, shared = pair
    with pytest.raises(
        ValueError,
        match=r"Received: b, in whose model backbone/conv/kernel "
        "and 1 more are not where a has them",
    ):
        sharing.refuse_unshared(
            _hosts(_model(5, extra=True)), shared, first="a", other="b"
        )


def test_sharing_ends_with_its_block(pair):
    first, _, _ = pair
    alone = _model(3)
    assert {id(v) for v in first.weights}.isdisjoint(map(id, alone.weights))
