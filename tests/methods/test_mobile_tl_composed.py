"""Masks and adapters under MobileTL's backward pass."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from object_detection_patch.keras_version import keras
from object_detection_patch.methods import base, shift
from object_detection_patch.patch_file import (
    Patch,
    apply_edits,
    from_bytes,
    to_bytes,
)
from object_detection_patch.protos import patch_pb2

_TOP = ("block_3", "block_4")


def _config(*arms):
    config = patch_pb2.Patch()
    for arm in arms:
        getattr(config.part.add(), arm).SetInParent()
    config.part.add().mobile_tl.trainable_blocks = len(_TOP)
    return config


@pytest.fixture(
    scope="module",
    params=["binary_mask", "weight_transform", "piggyback", "residual_adapter"],
)
def trained(request, make_patched, images, labels):
    """(the arm, a model of two top blocks after three steps)."""
    found = make_patched(_config(request.param))
    found.model.compile(
        optimizer=keras.optimizers.Adam(0.01),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        run_eagerly=True,
    )
    for _ in range(3):
        found.model.train_on_batch(images, labels)
    return request.param, found


def test_kernels_of_the_top_blocks_go_to_the_other_part(trained):
    arm, found = trained
    by_name = found.patch.host_patches
    for host in found.hosts:
        kind = type(by_name.get(host.name))
        inside = host.layer.name.startswith(_TOP)
        if host.layer.name.startswith(("stem", "block_1", "block_2")):
            assert host.name not in by_name
        elif inside and "_BN" in host.name and "project" not in host.name:
            assert kind is shift.ShiftedBatchNorm
        elif inside and arm != "residual_adapter" and "_BN" not in host.name:
            assert issubclass(kind, base.KernelPatch)
    assert any(isinstance(p, base.KernelPatch) for p in by_name.values())


def test_frozen_kernels_stay_and_something_was_learned(
    trained, make_model, find_hosts_of
):
    _, found = trained
    before = find_hosts_of(make_model(blocks=True)).base_tensors()
    by_name = found.patch.host_patches
    moved = set()
    for host in found.hosts.kernels:
        same = np.array_equal(host.variable, before[host.name])
        if isinstance(by_name.get(host.name), base.KernelPatch):
            assert same
        elif not same:
            moved.add(host.name)
    assert not any("/block_1" in name or "stem" in name for name in moved)


def test_the_file_on_the_base_gives_the_trained_model(
    trained, make_model, find_hosts_of, images
):
    _, found = trained
    patch = Patch(
        found.patch.method,
        found.patch.base_fingerprint,
        tuple(found.patch.edits()),
    )
    model = make_model(blocks=True)
    hosts = find_hosts_of(model)
    tensors = hosts.base_tensors() | hosts.head_tensors()
    values = {name: variable.numpy() for name, variable in tensors.items()}
    changed = apply_edits(values, from_bytes(to_bytes(patch)).edits)
    for name, value in changed.items():
        tensors[name].assign(value)
    np.testing.assert_allclose(
        model(images, training=False),
        found.model(images, training=False),
        rtol=1e-3,
        atol=1e-3,
    )


def test_the_backward_pass_is_the_signed_one(make_patched, images):
    """A mask's gradient differs from that of the same mask without."""

    def gradients(**options):
        config = _config("binary_mask")
        for name, value in options.items():
            setattr(config.part[1].mobile_tl, name, value)
        found = make_patched(config)
        # In inference mode both compute the same forward; beyond 6, where
        # large inputs lead, the signed gradient alone passes.
        with tf.GradientTape() as tape:
            outputs = found.model(20 * images, training=False)
            loss = tf.reduce_sum(outputs**2)
        patch = found.patch.host_patches["backbone/block_4_expand/kernel"]
        return tape.gradient(loss, patch.trainable_variables)

    signed, exact = gradients(), gradients(approximate=False)
    assert len(signed) == len(exact) > 0
    largest = max(
        np.abs(one - other).max()
        for one, other in zip(signed, exact, strict=True)
        if one is not None
    )
    assert largest > 1e-3


def test_two_others_still_may_not_share_a_kernel(make_patched):
    with pytest.raises(
        ValueError, match="Received: `binary_mask` and `piggyback`"
    ):
        make_patched(_config("binary_mask", "piggyback"))


def test_the_name_has_both(make_patched):
    found = make_patched(_config("binary_mask"))
    assert found.patch.method == "binary_mask+mobile_tl"
