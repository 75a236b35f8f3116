"""Parts put together on one base model."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from object_detection_patch import hosts as hosts_lib
from object_detection_patch import methods
from object_detection_patch.keras_version import keras
from object_detection_patch.methods import kernel_view
from object_detection_patch.methods.presets import patch_config
from object_detection_patch.protos import patch_pb2

_BINARY = "backbone/stem/kernel"
_DW = "backbone/dw/depthwise_kernel"
_BN = "backbone/stem_bn"
_TOWER = "tower/tower_conv/depthwise_kernel"


def _config(*arms):
    config = patch_pb2.Patch()
    for arm in arms:
        getattr(config.part.add(), arm).SetInParent()
    return config


@pytest.mark.parametrize(
    ("arms", "host"),
    [
        (("binary_mask", "piggyback"), _BINARY),
        (("binary_mask", "weight_transform"), _BINARY),
        (("weight_transform", "piggyback"), _BINARY),
        (("piggyback", "depthwise"), _DW),
        (("depthwise", "tower"), _TOWER),
        (("tower", "batch_norm"), "tower/tower_bn"),
        (("tower", "binary_mask"), _TOWER),
        (("fine_tuning", "batch_norm"), _BN),
        (("fine_tuning", "binary_mask"), _BINARY),
    ],
)
def test_two_parts_that_claim_one_host_are_refused(arms, host, small_hosts):
    with pytest.raises(
        ValueError,
        match=rf"can be patched by one part\. Received: `{arms[0]}` and "
        rf"`{arms[1]}`, which both patch {host} \(pipeline\.config",
    ):
        methods.build(_config(*arms), small_hosts)


@pytest.mark.parametrize(
    "arms",
    [
        ("binary_mask", "batch_norm"),
        ("piggyback", "batch_norm"),
        ("depthwise", "batch_norm"),
    ],
)
def test_parts_that_share_nothing_go_together(arms, small_hosts):
    patch = methods.build(_config(*arms), small_hosts)
    assert patch.method == "+".join(arms)
    assert len(patch.host_patches) == (5 if arms[0] != "depthwise" else 2) + 3


def test_a_part_that_finds_no_host_is_refused():
    inputs = keras.Input((6, 6, 3))
    model = keras.Model(inputs, keras.layers.Conv2D(2, 3)(inputs))
    hosts = hosts_lib.find_hosts(("backbone", x) for x in model.layers)
    with pytest.raises(
        ValueError, match="needs a base model with a prediction tower"
    ):
        methods.build(patch_config("TOWER_PATCH"), hosts)
    with pytest.raises(
        ValueError,
        match="`depthwise` needs a base model with depthwise convolutions. "
        "Received: 1 kernels, none of them depthwise",
    ):
        methods.build(patch_config("DW_PATCH"), hosts)


def test_a_patch_without_a_base_has_no_fingerprint(small_hosts):
    patch = methods.build(patch_config("SPOTPATCH"), small_hosts)
    with pytest.raises(
        ValueError,
        match=r"bound to the base model.*set `train_config\.fine_tune_checkp",
    ):
        _ = patch.base_fingerprint


def test_the_fingerprint_is_of_the_base_without_its_heads(make_patched):
    found = make_patched(patch_config("SPOTPATCH"))
    tensors = found.hosts.base_tensors()
    assert not [name for name in tensors if "head" in name]
    expected = hosts_lib.fingerprint(
        {name: variable.numpy() for name, variable in tensors.items()}
    )
    assert found.patch.base_fingerprint == expected
    found.model.get_layer("head").bias.assign([9.0, 9.0, 9.0])
    assert found.patch.compute_base_fingerprint() == expected
    found.model.get_layer("stem").bias.assign_add([0.0, 0.0, 0.0, 0.0, 1.0])
    assert found.patch.compute_base_fingerprint() != expected
    assert found.patch.base_fingerprint == expected


def test_detach_gives_the_base_back_and_attach_the_patch(
    make_model, make_patched, images
):
    plain = make_model()(images, training=False).numpy()
    found = make_patched(patch_config("SPOTPATCH"))
    patched = found.model(images, training=False).numpy()
    assert np.abs(patched - plain).max() > 1e-3

    found.patch.detach()
    assert not any(map(kernel_view.is_attached, found.hosts.kernels))
    np.testing.assert_array_equal(found.model(images, training=False), plain)

    found.patch.attach()
    assert all(map(kernel_view.is_attached, found.hosts.kernels))
    np.testing.assert_array_equal(found.model(images, training=False), patched)


def test_a_separable_layer_with_one_kernel_trained_keeps_the_other(
    make_patched, images
):
    """Its depthwise kernel moves; pointwise kernel and bias do not."""
    found = make_patched(patch_config("DW_PATCH"))
    layer = found.model.get_layer("tower_conv")
    names = ("depthwise_kernel", "pointwise_kernel", "bias")
    before = {name: getattr(layer, name).numpy() for name in names}
    optimizer = keras.optimizers.SGD(0.1)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(found.model(images, training=True) ** 2)
    variables = found.model.trainable_variables
    assert any(v is layer.depthwise_kernel for v in variables)
    assert layer.trainable_weights == []
    gradients = tape.gradient(loss, variables)
    optimizer.apply_gradients(zip(gradients, variables, strict=True))
    moved = {
        name
        for name in names
        if not np.array_equal(before[name], getattr(layer, name).numpy())
    }
    assert moved == {"depthwise_kernel"}


@pytest.mark.parametrize("preset", ["SPOTPATCH", "FINE_TUNING"])
def test_base_variables_keep_their_checkpoint_keys(
    preset, make_model, make_patched, find_hosts_of, tmp_path
):
    """So a stock checkpoint restores into the patched model."""
    plain = make_model(seed=5)
    path = tf.train.Checkpoint(model=plain).write(str(tmp_path / "base"))
    stock = {name for name, _ in tf.train.list_variables(path)}

    found = make_patched(patch_config(preset), seed=6)
    own = tf.train.Checkpoint(model=found.model).write(str(tmp_path / "own"))
    keys = {name for name, _ in tf.train.list_variables(own)}
    stock.discard("_CHECKPOINTABLE_OBJECT_GRAPH")
    assert stock < keys

    status = tf.train.Checkpoint(model=found.model).read(path)
    status.expect_partial()
    restored = found.hosts.base_tensors()
    expected = find_hosts_of(plain).base_tensors()
    assert restored.keys() == expected.keys()
    for name, variable in restored.items():
        np.testing.assert_array_equal(variable, expected[name], name)


def test_a_checkpoint_restores_a_patch(make_patched, images, tmp_path):
    first = make_patched(patch_config("SPOTPATCH"), seed=0)
    for layer in first.patch.host_patches.values():
        for variable in layer.trainable_weights:
            variable.assign_add(0.01 * tf.ones_like(variable))
    first.model.get_layer("stem_bn").gamma.assign([1.0, 2.0, 3.0, 4.0, 5.0])
    path = tf.train.Checkpoint(model=first.model).write(str(tmp_path / "ckpt"))

    second = make_patched(patch_config("SPOTPATCH"), seed=3)
    status = tf.train.Checkpoint(model=second.model).read(path)
    status.assert_existing_objects_matched().assert_consumed()
    assert second.patch.edits() == first.patch.edits()
    assert second.patch.base_fingerprint == first.patch.base_fingerprint
    np.testing.assert_array_equal(
        second.model(images, training=False),
        first.model(images, training=False),
    )
