"""Patches on a grid: trained on what their files hold, to the last code."""

from __future__ import annotations

import dataclasses
import io

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from object_detection_patch import methods
from object_detection_patch.methods import grid
from object_detection_patch.methods.patch_model import patch_model
from object_detection_patch.patch_file import (
    COMPACT,
    SMALL,
    Patch,
    Replace,
    ScaleOffset,
    from_bytes,
    reader,
    to_bytes,
)
from object_detection_patch.patch_file import grid as file_grid
from object_detection_patch.protos import patch_pb2

_RANDOM = np.random.default_rng(5)


@pytest.mark.parametrize("bits", range(2, 9))
@pytest.mark.parametrize("axes", [None, (0, 1, 2), (0, 1)])
def test_rounds_as_a_file_does(bits, axes):
    values = _RANDOM.normal(size=(3, 3, 4, 5)).astype(np.float32)
    groups = {None: 1, (0, 1, 2): 5, (0, 1): 20}[axes]
    stored = file_grid.Grid(bits, inner=1, groups=groups, half=True)
    raw = np.frombuffer(file_grid.encode("t", values, stored), np.uint8)
    held, _ = file_grid.decode("t", raw, stored, values.size)

    np.testing.assert_allclose(
        grid.on_grid(tf.constant(values), axes, bits).numpy().reshape(-1),
        held,
        rtol=0,
        atol=1e-6,
    )


def test_equal_values_stay_and_the_gradient_passes():
    values = tf.constant([0.375, 0.375, 0.375])
    with tf.GradientTape() as tape:
        tape.watch(values)
        rounded = grid.on_grid(values, None, 4)
        loss = tf.reduce_sum(rounded * [1.0, 2.0, 3.0])

    np.testing.assert_array_equal(rounded, values)
    np.testing.assert_array_equal(tape.gradient(loss, values), [1.0, 2.0, 3.0])


@pytest.mark.parametrize("bits", range(2, 9))
@pytest.mark.parametrize("spread", [1e-6, 1e-4, 1e-2, 1.0])
def test_is_written_with_as_many_bits_at_most(bits, spread):
    values = 3 + spread * _RANDOM.normal(size=50).astype(np.float32)
    trained = grid.on_grid(tf.constant(values), None, bits).numpy()
    half = file_grid.halved(trained, file_grid.Grid(8, 1, 1))
    found = file_grid.narrowest(trained, half)
    raw = np.frombuffer(file_grid.encode("t", trained, found), np.uint8)
    held, _ = file_grid.decode("t", raw, found, values.size)

    assert half.half
    assert found.bits <= bits
    # Nearly equal values are rounded as float16 rounds, others not at all.
    most = 0 if spread == 1 else 2.0**-10 * np.abs(trained).max()
    assert np.abs(held - trained).max() <= most
    assert np.abs(held - values).max() <= np.ptp(values) + 0.002


def _as_if_trained(model):
    for weight in model.patch.trainable_weights:
        noise = _RANDOM.standard_normal(weight.shape)
        weight.assign_add((0.05 * noise).astype(np.float32))
    for host in model.patch.hosts.batch_norms:
        host.layer.moving_mean.assign_add(
            0.1 * _RANDOM.standard_normal(host.channels)
        )
        host.layer.moving_variance.assign(
            host.layer.moving_variance
            * _RANDOM.uniform(0.7, 1.4, host.channels)
        )
    for head in model.patch.hosts.heads:
        head.variable.assign_add(
            0.02 * _RANDOM.standard_normal(head.variable.shape)
        )


@pytest.fixture(scope="module")
def compact(small_world):
    model = small_world.patched_model(small_world.config("stripes", "COMPACT"))
    _as_if_trained(model)
    return model


def _patch(model):
    patch = model.patch
    return Patch(patch.method, patch.base_fingerprint, tuple(patch.edits()), ())


def _numbers(patch):
    """Target -> list of groups of numbers that share a grid."""
    found = {}
    for edit in patch.edits:
        if isinstance(edit, ScaleOffset):
            found[edit.target] = [edit.scale, edit.offset]
        elif isinstance(edit, Replace) and edit.values.ndim > 1:
            wide = edit.values.reshape(-1, edit.values.shape[-1])
            if edit.target.endswith("depthwise_kernel"):
                wide = edit.values.reshape(-1, 1)
            found[edit.target] = list(wide.T)
    return found


def _most_values(groups):
    return max(len(np.unique(group)) for group in groups)


def _bits(target):
    """Of the preset: protos/patch.proto, COMPACT and Grid."""
    if "head" not in target or "batch_norm" in target:
        return 5
    return 6 if target.endswith("depthwise_kernel") else 4


def test_a_group_has_as_many_values_as_its_bits_allow(compact):
    numbers = _numbers(_patch(compact))

    assert any("depthwise_kernel" in target for target in numbers)
    assert any("pointwise_kernel" in target for target in numbers)
    assert len(numbers) > 50
    for target, groups in numbers.items():
        assert _most_values(groups) <= 2 ** _bits(target), target


@pytest.mark.parametrize("encoding", [COMPACT, SMALL], ids=["compact", "small"])
def test_small_files_hold_it_unrounded_in_those_bits(compact, encoding):
    patch = _patch(compact)
    plain = _without_compression(encoding)
    data = to_bytes(patch, encoding=plain)
    parsed = reader.parse(io.BytesIO(data), len(data))
    held = from_bytes(to_bytes(patch, encoding=encoding))

    assert held.edits == parsed.patch.edits
    before, after = _numbers(patch), _numbers(held)
    entries = {entry.target: entry for entry in parsed.entries}
    for target, groups in before.items():
        if encoding is COMPACT or "head" not in target:
            for one, other in zip(groups, after[target], strict=True):
                np.testing.assert_allclose(other, one, rtol=0, atol=2e-6)
            assert entries[target].grid.bits <= _bits(target)
    norms = [e for e in entries.values() if e.target in _batch_norms(patch)]
    # Those of a few channels may happen to need fewer.
    assert sum(e.grid.bits == 5 for e in norms) > 0.8 * len(norms)


def _batch_norms(patch):
    return {e.target for e in patch.edits if isinstance(e, ScaleOffset)}


def _without_compression(encoding):
    kinds = ("batch_norm", "kernels", "box_head", "class_head")
    numbers = {
        kind: dataclasses.replace(getattr(encoding, kind), compression="none")
        for kind in kinds
    }
    return dataclasses.replace(encoding, masks="none", **numbers)


def test_the_trained_model_computes_with_what_ships(compact, small_world):
    found = small_world.raw_outputs(compact)
    norms = {
        edit.target: edit
        for edit in compact.patch.edits()
        if isinstance(edit, ScaleOffset)
    }
    heads = {
        edit.target: edit.values
        for edit in compact.patch.edits()
        if isinstance(edit, Replace)
    }
    plain = small_world.patched_model(
        small_world.config("stripes", "SPOTPATCH")
    )
    for mine, theirs in zip(
        plain.patch.variables, compact.patch.variables, strict=True
    ):
        mine.assign(theirs)
    for host in plain.patch.hosts.batch_norms:
        # Folded onto the base's statistics, which `plain` still has.
        host.layer.gamma.assign(norms[host.name].scale)
        host.layer.beta.assign(norms[host.name].offset)
    for name, variable in plain.patch.hosts.head_tensors().items():
        variable.assign(heads[name])
    wanted = small_world.raw_outputs(plain)

    for key, values in wanted.items():
        np.testing.assert_allclose(found[key], values, rtol=0, atol=2e-3)


def test_till_it_begins_numbers_are_as_trained(small_world):
    config = small_world.config(
        "stripes",
        "COMPACT",
        name="_late",
        patch_options="grid { begin_step: 5 }",
    )
    model = small_world.patched_model(config)
    _as_if_trained(model)
    found = []
    for step in (0, 3, 4):
        model.patch.follow(step)
        found.append(small_world.raw_outputs(model))
    early, before, begun = found

    for key, values in early.items():
        np.testing.assert_array_equal(before[key], values)
        assert np.abs(begun[key] - values).max() > 1e-2
    # Whatever training has reached, what ships lies on the grid.
    for target, groups in _numbers(_patch(model)).items():
        assert _most_values(groups) <= 2 ** _bits(target)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("_int8", "fake_quantize {}"),
        ("_routed", "part { instance_routing {} }"),
    ],
)
def test_beside_other_options_it_ships_on_the_grid(small_world, name, options):
    config = small_world.config(
        "stripes", "COMPACT", name=name, patch_options=options
    )
    model = small_world.patched_model(config)
    _as_if_trained(model)
    numbers = _numbers(_patch(model))

    assert any(
        target.startswith("tuned/" if "routing" in options else "backbone/")
        for target in numbers
    )
    for target, groups in numbers.items():
        # The policy is no BatchNorm or head of the detector's.
        if not target.startswith("policy/"):
            assert _most_values(groups) <= 2 ** _bits(target), target


def test_batch_norms_that_shift_alone_are_refused(small_world):
    config = small_world.config(
        "stripes",
        "COMPACT",
        name="_mobile",
        patch_options="part { mobile_tl { trainable_blocks: 2 } }",
    )
    with pytest.raises(ValueError, match="Received: ShiftedBatchNorm"):
        small_world.patched_model(config)


def test_detached_it_is_an_ordinary_model(small_world):
    model = small_world.patched_model(small_world.config("stripes", "COMPACT"))
    layer = model.patch.hosts.batch_norms[0].layer
    model.patch.detach()

    assert layer.scale and layer.center and "call" not in vars(layer)


@pytest.mark.parametrize("bits", [1, 7, 9])
@pytest.mark.parametrize("field", ["batch_norm_bits", "head_bits"])
def test_other_bits_are_refused(field, bits):
    config = patch_pb2.Patch(preset=patch_pb2.SPOTPATCH)
    setattr(config.grid, field, bits)

    with pytest.raises(ValueError, match=rf"grid.{field}.*Received: {bits} "):
        methods.check(config)


def test_batch_norms_that_do_not_train_are_refused(small_world):
    config = patch_pb2.Patch(preset=patch_pb2.PIGGYBACK)
    config.grid.batch_norm_bits = 4
    hosts = small_world.patched_model(
        small_world.config("stripes", "PIGGYBACK")
    ).patch.hosts

    with pytest.raises(ValueError, match="grid.batch_norm_bits.*without any"):
        methods.build(config, hosts)


def test_tasks_that_share_a_base_have_no_grid():
    config = patch_pb2.Patch(preset=patch_pb2.BN_PATCH)
    methods.check_shared(config)
    config.grid.batch_norm_bits = 4

    with pytest.raises(ValueError, match="Received: `grid.batch_norm_bits`"):
        methods.check_shared(config)


def test_a_beginning_without_bits_is_refused():
    config = patch_pb2.Patch(preset=patch_pb2.SPOTPATCH)
    config.grid.begin_step = 5

    with pytest.raises(ValueError, match="grid.begin_step.*Received: 5 with"):
        methods.check(config)


def test_a_checkpoint_of_another_grid_is_refused(small_world, compact):
    model = small_world.patched_model(
        small_world.config("stripes", "SPOTPATCH")
    )
    with pytest.raises(
        methods.OtherPatchError,
        match="`batch_norm` .*`grid of 5 and 4 bits` in 'there', but ",
    ):
        model.patch.refuse_other_parts(
            "there", compact.patch.part_numbers.numpy()
        )


def test_a_batch_norm_that_is_not_fused_is_refused():
    layers = tf_keras.layers
    model = tf_keras.Sequential(
        [
            layers.Input((8, 8, 3)),
            layers.Conv2D(4, 3),
            layers.BatchNormalization(fused=False),
        ]
    )
    with pytest.raises(ValueError, match="which is not fused"):
        patch_model(model, patch_pb2.Patch(preset=patch_pb2.COMPACT))


def test_a_presets_grid_changes_field_by_field():
    config = patch_pb2.Patch(preset=patch_pb2.COMPACT)
    config.grid.batch_norm_bits = 5

    assert grid.of_config(config) == grid.Grid(5, 4, 0)
    assert grid.of_config(patch_pb2.Patch()) == grid.Grid()
