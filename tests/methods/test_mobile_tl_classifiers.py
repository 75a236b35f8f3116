"""MobileTL on tf_keras' own MobileNetV2 and V3, as classifiers."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from object_detection_patch.keras_version import keras
from object_detection_patch.methods import inverted_residual, shift
from object_detection_patch.methods.patch_model import patch_model
from object_detection_patch.protos import patch_pb2
from tests.enliven import enliven

_SIDE = 32
_BLOCKS = {"MobileNetV2": 17, "MobileNetV3Small": 11}


def _model(name):
    options = {"alpha": 0.35} if name == "MobileNetV2" else {}
    model = getattr(keras.applications, name)(
        input_shape=(_SIDE, _SIDE, 3), weights=None, classes=3, **options
    )
    enliven(model, seed=3)
    return model


def _config(blocks):
    config = patch_pb2.Patch()
    config.part.add().mobile_tl.trainable_blocks = blocks
    return config


@pytest.fixture(scope="module", params=_BLOCKS)
def patched(request):
    """(name, outputs before, model with its two top blocks trained, images)."""
    model = _model(request.param)
    images = np.random.default_rng(0).uniform(0, 255, (4, _SIDE, _SIDE, 3))
    images = images.astype(np.float32)
    before = model(images, training=False).numpy()
    patch_model(model, _config(2))
    return request.param, before, model, images


def test_the_outputs_stay_those_of_the_base(patched):
    _, before, model, images = patched
    after = model(images, training=False).numpy()
    np.testing.assert_allclose(after, before, rtol=1e-4, atol=1e-5)
    assert np.ptp(before, axis=1).min() > 0.1


def test_the_two_top_blocks_and_the_layers_on_them_train(patched):
    name, _, model, _ = patched
    blocks = inverted_residual.blocks_of(model.patch.hosts)
    assert len(blocks) == _BLOCKS[name]
    trained = {id(v) for v in model.trainable_variables}
    for block in blocks[:-2]:
        for host in block.hosts:
            assert not trained & {id(v) for v in host.layer.variables}
    for block in blocks[-2:]:
        assert len(block.inner_batch_norms) == 2
        for host in block.inner_batch_norms:
            assert id(host.layer.gamma) not in trained
            assert id(host.layer.beta) in trained
    tops = {"MobileNetV2": ("Conv_1", "predictions")}
    for layer in tops.get(name, ("Conv_1", "Conv_2", "Logits")):
        assert id(model.get_layer(layer).kernel) in trained


def test_squeeze_and_excite_trains_whole_and_keeps_its_multiplication(patched):
    name, _, model, _ = patched
    if name == "MobileNetV2":
        pytest.skip("MobileNetV2 has none")
    trained = {id(v) for v in model.trainable_variables}
    for number in (9, 10):
        scope = f"expanded_conv_{number}/squeeze_excite"
        for role in ("Conv", "Conv_1"):
            layer = model.get_layer(f"{scope}/{role}")
            assert {id(layer.kernel), id(layer.bias)} <= trained
        assert "call" not in vars(model.get_layer(f"{scope}/Mul"))


def test_each_activation_inside_a_block_passes_a_signed_gradient(patched):
    name, _, model, _ = patched
    blocks = inverted_residual.blocks_of(model.patch.hosts)[-2:]
    norms = [h.layer for b in blocks for h in b.inner_batch_norms]
    x = tf.constant([-4.0, -1.0, -0.5, 0.5, 1.0, 4.0, 7.0])[None, :]
    gate = tf.nn.relu6(x + 3) / 6
    for norm in norms:
        ((layer, position),) = shift._activations(norm)
        with tf.GradientTape() as tape:
            tape.watch([x, gate])
            if position is None:
                y = layer(x)
                expected = tf.nn.relu6(x)
            else:
                y = layer([x, gate])
                expected = x * gate
        to_x, to_gate = tape.gradient(y, [x, gate])
        np.testing.assert_array_equal(y, expected)
        np.testing.assert_array_equal(to_x, tf.cast(x >= 0, tf.float32))
        assert to_gate is None
        assert (position is None) == (name == "MobileNetV2")
    assert len(norms) == 4


def test_a_step_of_training_moves_what_trains_and_nothing_else(patched):
    _, _, model, images = patched
    before = {id(v): v.numpy() for v in model.variables}
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(images, training=True) ** 2)
    variables = model.trainable_variables
    gradients = tape.gradient(loss, variables)
    assert all(np.isfinite(g).all() for g in gradients)
    keras.optimizers.SGD(0.1).apply_gradients(
        zip(gradients, variables, strict=True)
    )
    moved = {
        id(v)
        for v in model.variables
        if not np.array_equal(v.numpy(), before[id(v)])
    }
    trained = {id(v) for v in variables}
    statistics = {id(v) for v in model.variables if "moving_" in v.name}
    assert moved <= trained | statistics
    assert len(moved & trained) > 0.9 * len(trained)


@pytest.mark.parametrize("name", _BLOCKS)
def test_one_block_too_many_is_refused(name):
    count = _BLOCKS[name]
    with pytest.raises(
        ValueError, match=rf"of the base, {count}\. Received: {count + 1} "
    ):
        patch_model(_model(name), _config(count + 1))
