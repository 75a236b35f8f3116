"""A patched SSD: the base exactly while the patch is zero, plus its own."""

import pathlib
import re

import numpy as np
import pytest
import tensorflow as tf

from object_detection_patch.methods import presets
from object_detection_patch.od_api import (
    base_model,
    host_layers,
    pipeline_config,
)
from object_detection_patch.training import patched_model
from tests.distinct_presets import (
    DISTINCT_PRESETS,
    ROUTED_PRESETS,
    typical_first,
)


@pytest.fixture(scope="module")
def spotpatch(small_world):
    return small_world.patched_model(
        small_world.config("shapes", "SPOTPATCH"), is_training=True
    )


@pytest.fixture(scope="module")
def base(small_world):
    """The unpatched model with the base's values."""
    model = small_world.unpatched_model()
    base_model.restore_base(
        model,
        host_layers.find_ssd_hosts(model),
        small_world.base_checkpoint,
        checkpoint_type="full",
    )
    return model


def _set_gates(model, value):
    for patch in model.patch.host_patches.values():
        if hasattr(patch, "latent_gate"):
            patch.latent_gate.assign(value)


@pytest.fixture
def closed(spotpatch):
    """SPOTPATCH with every gate closed."""
    before = {
        name: patch.latent_gate.numpy()
        for name, patch in spotpatch.patch.host_patches.items()
        if hasattr(patch, "latent_gate")
    }
    _set_gates(spotpatch, -1.0)
    yield spotpatch
    for name, value in before.items():
        spotpatch.patch.host_patches[name].latent_gate.assign(value)


def test_zero_patch_equals_the_base_exactly(small_world, closed, base):
    heads = closed.patch.hosts.head_tensors()
    for name, variable in (
        host_layers.find_ssd_hosts(base).head_tensors().items()
    ):
        heads[name].assign(variable)
    found = small_world.raw_outputs(closed)
    for key, expected in small_world.raw_outputs(base).items():
        assert np.ptp(expected) > 0.1, "a base that says something"
        np.testing.assert_array_equal(found[key], expected, err_msg=key)


def test_open_gates_change_the_outputs(small_world, spotpatch, closed):
    without = small_world.raw_outputs(closed)
    _set_gates(spotpatch, 1.0)
    with_gates = small_world.raw_outputs(spotpatch)
    for key, value in without.items():
        assert np.abs(with_gates[key] - value).max() > 1e-3


def _rounded_to_8_bits(name, kernel):
    axes = (0, 1) if name.endswith("/depthwise_kernel") else (0, 1, 2)
    steps = np.abs(kernel).max(axes, keepdims=True) / 127
    return np.rint(kernel / steps) * steps


def test_with_fake_quantize_it_is_the_model_of_rounded_kernels(
    small_world, tmp_path
):
    text = pathlib.Path(small_world.config("shapes", "BN_PATCH")).read_text()
    before = "preset: BN_PATCH"
    assert text.count(before) == 1
    config = tmp_path / "quantized.config"
    config.write_text(text.replace(before, f"{before} fake_quantize {{}}"))
    model = small_world.patched_model(str(config))
    found = small_world.raw_outputs(model)
    model.patch.detach()
    exact = small_world.raw_outputs(model)
    hosts = model.patch.hosts
    for name, tensor in (hosts.base_tensors() | hosts.head_tensors()).items():
        if name.endswith("kernel"):
            tensor.assign(_rounded_to_8_bits(name, tensor.numpy()))
    for key, expected in small_world.raw_outputs(model).items():
        np.testing.assert_allclose(found[key], expected, rtol=1e-3, atol=1e-4)
        assert np.abs(found[key] - exact[key]).max() > 1e-2, key


@pytest.mark.parametrize("preset", typical_first(DISTINCT_PRESETS))
def test_keeps_the_bases_checkpoint_keys(small_world, tmp_path, preset):
    model = small_world.patched_model(
        small_world.config("shapes", preset), is_training=True
    )
    path = tf.train.Checkpoint(model=model).save(str(tmp_path / "ckpt"))
    found = dict(tf.train.list_variables(path))
    stored = dict(tf.train.list_variables(small_world.base_checkpoint))
    bookkeeping = {"save_counter", "step", "_CHECKPOINTABLE_OBJECT_GRAPH"}
    kept = {
        k: v for k, v in stored.items() if k.split("/")[0] not in bookkeeping
    }
    assert len(kept) > 300
    assert {k: found[k] for k in kept} == kept
    added = set(found) - set(stored)
    assert all(key.startswith("model/patch/") for key in added)
    assert "model/patch/fingerprint_bytes/.ATTRIBUTES/VARIABLE_VALUE" in added


# What trains beside the heads, from the paper's names of the methods.
_MASKED = {
    "SPOTPATCH": 3,
    "ROUTED_SPOTPATCH": 3,
    "COMPACT": 3,
    "WEIGHTTRANS": 4,
    "PIGGYBACK": 1,
}
_ADAPTED = {"PARALLEL_ADAPTERS", "SERIES_ADAPTERS"}
_BATCH_NORM = {
    "SPOTPATCH",
    "WEIGHTTRANS",
    "BN_PATCH",
    "BN_DW_PATCH",
    "ROUTED_SPOTPATCH",
    "COMPACT",
    "SCALE_BIAS_ONLY",
} | _ADAPTED
# A stem, three blocks with two convolutions and a shortcut, each with its
# normalisation's two tensors, and a dense layer.
_POLICY = 3 + 3 * 9 + 2


@pytest.mark.parametrize("preset", typical_first(DISTINCT_PRESETS))
def test_trainable_variables(small_world, preset):
    model = small_world.patched_model(
        small_world.config("shapes", preset), is_training=True
    )
    hosts = model.patch.hosts
    ids = [id(variable) for variable in model.trainable_variables]
    assert len(set(ids)) == len(ids)
    trained = set(ids)

    def moving(names_to_variables):
        return {k for k, v in names_to_variables.items() if id(v) in trained}

    base = hosts.base_tensors()
    affine = {k for k in base if k.endswith(("/gamma", "/beta"))}
    depthwise = {k for k in base if k.endswith("/depthwise_kernel")}
    tower = {k for k in base if k.startswith("tower/") and "/moving_" not in k}
    everything = {k for k in base if "/moving_" not in k}
    expected = {
        "DW_PATCH": depthwise,
        "BN_DW_PATCH": depthwise | affine,
        "TOWER_PATCH": tower,
        "FINE_TUNING": everything,
        "SPOTTUNE": everything,
        "LAST_2": {
            name
            for name in everything
            if re.match(r"backbone/(block_1[56]|Conv_1)|fpn/|tower/", name)
        },
    }.get(preset, affine if preset in _BATCH_NORM else set())
    assert moving(base) == expected
    heads = set(hosts.head_tensors())
    frozen = preset == "SCALE_BIAS_ONLY"
    assert moving(hosts.head_tensors()) == (set() if frozen else heads)
    in_model = {id(v) for v in (base | hosts.head_tensors()).values()}
    own = [v for v in model.trainable_variables if id(v) not in in_model]
    each = _MASKED.get(preset, 0)
    whole = [host for host in hosts.kernels if host.kind != "depthwise"]
    adapters = len(whole) if preset in _ADAPTED else 0
    policy = _POLICY if preset in ROUTED_PRESETS else 0
    assert len(own) == each * 71 + adapters + policy


def _loss(model, small_world, *, is_training=False):
    base_model.set_training(model, is_training)
    images, shapes = model.preprocess(tf.constant(small_world.images()))
    boxes = tf.constant([[0.1, 0.1, 0.6, 0.7]], tf.float32)
    classes = tf.one_hot([1], model.num_classes)
    model.provide_groundtruth(
        groundtruth_boxes_list=[boxes] * 2,
        groundtruth_classes_list=[classes] * 2,
        groundtruth_weights_list=[tf.ones([1])] * 2,
    )
    return model.loss(model.predict(images, shapes), shapes)


def test_statistics_alone_follow_the_images(small_world):
    model = small_world.patched_model(
        small_world.config("shapes", "BN_STATISTICS"), is_training=True
    )
    hosts = model.patch.hosts
    heads = {id(v) for v in hosts.head_tensors().values()}
    assert {id(v) for v in model.trainable_variables} == heads
    before = {k: v.numpy() for k, v in hosts.base_tensors().items()}
    _loss(model, small_world, is_training=True)
    moved = {
        k
        for k, v in hosts.base_tensors().items()
        if not np.array_equal(v.numpy(), before[k])
    }
    assert moved == {k for k in before if "/moving_" in k}


def test_losses_hold_the_papers_terms(small_world, spotpatch):
    losses = _loss(spotpatch, small_world)
    assert set(losses) == {
        "Loss/localization_loss",
        "Loss/classification_loss",
        "Loss/sparsity_loss",
        "Loss/adaptation_loss",
    }
    # Eq. 5 and 6, from the base's kernels alone: every gate starts open and
    # every scale at 0.2 standard deviations.
    kernels = spotpatch.patch.hosts.kernels
    deviations = [0.2 * np.std(host.variable.numpy()) for host in kernels]
    np.testing.assert_allclose(
        losses["Loss/sparsity_loss"], 1e-4 * 71, rtol=1e-6
    )
    np.testing.assert_allclose(
        losses["Loss/adaptation_loss"],
        2e-5 * np.sum(np.square(deviations)),
        rtol=1e-5,
    )


def test_a_patch_without_penalties_adds_no_loss(small_world):
    model = small_world.patched_model(small_world.config("shapes", "BN_PATCH"))
    assert set(_loss(model, small_world)) == {
        "Loss/localization_loss",
        "Loss/classification_loss",
    }


def test_a_loss_that_is_not_finite_is_named(small_world, spotpatch):
    patch = next(iter(spotpatch.patch.host_patches.values()))
    before = patch.residual_scale.numpy()
    patch.residual_scale.assign(np.nan)
    _set_gates(spotpatch, -1.0)
    with pytest.raises(tf.errors.InvalidArgumentError, match="Tensor had NaN"):
        _loss(spotpatch, small_world, is_training=True)
    _set_gates(spotpatch, 1.0)
    patch.residual_scale.assign(before)


def test_is_still_the_od_apis_ssd(spotpatch):
    from object_detection.meta_architectures import ssd_meta_arch

    assert isinstance(spotpatch, ssd_meta_arch.SSDMetaArch)
    assert type(spotpatch).__name__ == "PatchedSSDMetaArch"


def test_refuses_two_parts_on_one_host(small_world):
    config = presets.patch_config("SPOTPATCH")
    config.part.add().piggyback.SetInParent()
    pipeline = pipeline_config.read_pipeline(small_world.base_config)
    with pytest.raises(
        ValueError,
        match=r"Each host can be patched by one part\. Received: "
        r"`binary_mask` and `piggyback`, which both patch backbone/Conv1",
    ):
        patched_model.build_patched(pipeline.model, config)


def test_refuses_what_is_no_ssd():
    from object_detection.protos import model_pb2

    config = model_pb2.DetectionModel()
    config.faster_rcnn.SetInParent()
    with pytest.raises(ValueError, match="A patch needs an SSD"):
        patched_model.build_patched(config, presets.patch_config("BN_PATCH"))
