"""An SSD's feature extractor as a classifier, plain and patched."""

from __future__ import annotations

import dataclasses
import pathlib

import numpy as np
import pytest
import tensorflow as tf

from object_detection_patch.keras_version import keras
from object_detection_patch.methods.patch_model import patch_model
from object_detection_patch.od_api import (
    base_model,
    classifier,
    pipeline_config,
)

_CLASSES = 5


@pytest.fixture(scope="module")
def model_config(small_world):
    return pipeline_config.read_pipeline(small_world.base_config).model


def _build(config, **options):
    return classifier.build_classifier(
        config, classes=_CLASSES, **{"image_size": 96} | options
    )


@pytest.fixture(scope="module")
def built(small_world, model_config):
    keras.utils.set_random_seed(1)
    return _build(model_config, checkpoint=small_world.base_checkpoint)


def test_its_logits_are_of_the_ssds_own_features(
    small_world, model_config, built
):
    images = small_world.images()
    images[1] *= 0.1
    ssd = base_model.build_model(model_config, is_training=False)
    tf.train.Checkpoint(model=ssd).restore(
        small_world.base_checkpoint
    ).expect_partial()
    base_model.set_training(ssd, False)
    backbone = ssd.feature_extractor.classification_backbone
    features = backbone(images / 127.5 - 1, training=False)[-1].numpy()
    kernel, bias = (v.numpy() for v in built.get_layer("logits").weights)
    expected = features.astype(np.float64).mean((1, 2)) @ kernel + bias

    # Without `training`, as whoever looks at one image would call it.
    found = built(images).numpy()
    assert found.shape == (2, _CLASSES)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert np.ptp(expected, axis=0).max() > 1e-2


def test_without_a_checkpoint_it_is_random(model_config, built):
    again = _build(model_config, image_size=32)
    assert again.input_shape == (None, 32, 32, 3)
    pairs = zip(again.weights, built.weights, strict=True)
    kernels = [(a, b) for a, b in pairs if len(a.shape) == 4]
    assert len(kernels) == 52
    for ours, other in kernels:
        assert np.abs(ours.numpy() - other.numpy()).max() > 1e-3


@pytest.mark.parametrize("preset", ["BN_STATISTICS", "SCALE_BIAS_ONLY"])
def test_carries_a_patch(small_world, model_config, preset):
    model = _build(
        model_config, checkpoint=small_world.base_checkpoint, image_size=32
    )
    patch = patch_model(model, preset)
    # A stem, 17 blocks of three, the first of two, and Conv_1.
    assert len(patch.hosts.kernels) == len(patch.host_patches) == 52
    assert {h.name for h in patch.hosts.heads} == {
        "class_head/logits/kernel",
        "class_head/logits/bias",
    }
    before = {id(v): v.numpy() for v in model.variables}
    model.compile(
        optimizer=keras.optimizers.SGD(0.1),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        run_eagerly=True,
    )
    images = np.random.default_rng(1).uniform(0, 255, (4, 32, 32, 3))
    model.train_on_batch(images.astype(np.float32), np.arange(4))

    def moved(variable):
        return not np.array_equal(before[id(variable)], variable.numpy())

    names = {"head": [], "affine": [], "statistics": []}
    for host in patch.hosts.batch_norms:
        for name, variable in host.tensors().items():
            kind = "statistics" if "/moving_" in name else "affine"
            names[kind].append(moved(variable))
    names["head"] = [moved(h.variable) for h in patch.hosts.heads]
    only = preset == "SCALE_BIAS_ONLY"
    assert all(names["statistics"])
    assert any(names["affine"]) == only
    assert any(names["head"]) == all(names["head"]) == (not only)
    assert not any(moved(host.variable) for host in patch.hosts.kernels)


def test_one_class_is_refused(model_config):
    with pytest.raises(ValueError, match=r"two classes or more.*Received: 1\."):
        classifier.build_classifier(model_config, classes=1, image_size=96)


@pytest.mark.parametrize("size", [0, -3])
def test_images_without_a_pixel_are_refused(model_config, size):
    with pytest.raises(ValueError, match=rf"`image_size`.*Received: {size}\."):
        classifier.build_classifier(model_config, classes=2, image_size=size)


def test_a_directory_stands_for_its_newest_checkpoint(
    small_world, model_config, built, tmp_path
):
    folder = pathlib.Path(small_world.base_checkpoint).parent
    found = _build(model_config, checkpoint=str(folder))
    np.testing.assert_array_equal(
        found.get_layer(index=2).get_layer("Conv1").kernel,
        built.get_layer(index=2).get_layer("Conv1").kernel,
    )
    with pytest.raises(ValueError, match="a directory with one.*has none"):
        _build(model_config, checkpoint=str(tmp_path))


def test_another_checkpoint_is_refused(small_world, model_config, tmp_path):
    with pytest.raises(base_model.BaseRestoreError, match="does not exist"):
        _build(model_config, checkpoint=str(tmp_path / "ckpt"))


def test_an_extractor_without_a_backbone_is_refused(monkeypatch, model_config):
    find = classifier.host_layers.find_ssd_hosts
    monkeypatch.setattr(
        classifier.host_layers,
        "find_ssd_hosts",
        lambda ssd: dataclasses.replace(find(ssd), backbone=None),
    )
    with pytest.raises(
        ValueError,
        match=r"a backbone of its own \(model\.ssd\.feature_extractor.*"
        "Received: SSDMobileNetV2FpnNarrowKerasFeatureExtractor",
    ):
        _build(model_config)
