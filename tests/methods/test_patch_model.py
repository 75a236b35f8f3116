"""Patches on Keras models that know nothing of the OD API."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from object_detection_patch.footprint import nominal_footprint
from object_detection_patch.keras_version import keras
from object_detection_patch.methods.patch_method import PatchMethod
from object_detection_patch.methods.patch_model import patch_model
from object_detection_patch.patch_file import (
    Patch,
    apply_edits,
    from_bytes,
    to_bytes,
)
from object_detection_patch.protos import patch_pb2

_L = keras.layers


def _stack():
    return [
        _L.Conv2D(4, 3, activation="relu"),
        _L.BatchNormalization(momentum=0.5),
        _L.GlobalAveragePooling2D(),
        _L.Dense(2),
    ]


def _sequential():
    return keras.Sequential([_L.Input((8, 8, 3)), *_stack()])


def _deferred():
    model = keras.Sequential(_stack())
    model.build((None, 8, 8, 3))
    return model


def _functional():
    outputs = inputs = keras.Input((8, 8, 3))
    for layer in _stack():
        outputs = layer(outputs)
    return keras.Model(inputs, outputs)


def _nested():
    inputs = keras.Input((8, 8, 3))
    return keras.Model(inputs, _functional()(inputs))


class _Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.stack = _stack()

    def call(self, inputs, training=None):
        outputs = inputs
        for layer in self.stack:
            # `training` reaches the layers that want it through Keras.
            outputs = layer(outputs)
        return outputs


def _subclassed():
    model = _Subclassed()
    model(tf.zeros((1, 8, 8, 3)))
    return model


_MODELS = [_sequential, _deferred, _functional, _nested, _subclassed]


@pytest.fixture(scope="module")
def batch():
    """Bright images are class 1, dark ones class 0."""
    random = np.random.default_rng(0)
    labels = np.arange(16) % 2
    images = random.uniform(-0.3, 0.3, (16, 8, 8, 3))
    images += (2 * labels - 1)[:, None, None, None]
    return images.astype(np.float32), labels


def _compile(model, rate=0.02, **options):
    model.compile(
        optimizer=keras.optimizers.Adam(rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        **options,
    )


@pytest.mark.parametrize("make", _MODELS)
def test_every_kind_of_model_trains_its_patch(make, batch):
    model = make()
    patch = patch_model(model, "SPOTPATCH")
    assert isinstance(patch, PatchMethod) and model.patch is patch
    (mask,) = (patch.host_patches[host.name] for host in patch.hosts.kernels)
    assert [host.name for host in patch.hosts] == [
        "backbone/conv2d@1/kernel",
        "backbone/batch_normalization@1",
        "backbone/conv2d@1/bias",
    ]
    kernel = patch.hosts.kernels[0].variable
    own = [mask.latent_mask, mask.residual_scale, mask.latent_gate]
    trainable = {id(v) for v in model.trainable_variables}
    assert {id(v) for v in own} < trainable
    assert len(trainable) == 3 + 2 + 2  # gamma and beta; the head's two
    assert id(kernel) not in trainable

    before = [v.numpy() for v in [kernel, *own]]
    _compile(model, run_eagerly=True)
    losses = [model.train_on_batch(*batch) for _ in range(4)]
    assert losses[-1] < losses[0]
    after = [v.numpy() for v in [kernel, *own]]
    unmoved = [np.array_equal(a, b) for a, b in zip(before, after, strict=True)]
    assert unmoved == [True, False, False, False]


@pytest.mark.parametrize("make", _MODELS)
def test_every_kind_of_model_saves_and_loads_its_patch(make, batch, tmp_path):
    first, second = make(), make()
    for model in (first, second):
        patch_model(model, "SPOTPATCH")
    _compile(first, run_eagerly=True)
    first.train_on_batch(*batch)
    first.save_weights(str(tmp_path / "weights"))
    status = second.load_weights(str(tmp_path / "weights"))
    status.assert_existing_objects_matched().expect_partial()
    assert second.patch.edits() == first.patch.edits()
    assert second.patch.base_fingerprint == first.patch.base_fingerprint
    np.testing.assert_array_equal(
        first(batch[0], training=False), second(batch[0], training=False)
    )


@pytest.mark.parametrize("make", [_sequential, _functional])
def test_a_traced_fit_does_what_an_eager_one_does(make, batch):
    found = []
    for eager in (True, False):
        keras.utils.set_random_seed(5)
        model = make()
        patch_model(model, "SPOTPATCH")
        _compile(model, run_eagerly=eager)
        history = model.fit(*batch, epochs=3, verbose=0, shuffle=False)
        outputs = model.predict(batch[0], verbose=0)
        found.append((history.history["loss"], outputs))
    for eager, traced in zip(*found, strict=True):
        np.testing.assert_allclose(traced, eager, rtol=1e-3, atol=1e-4)


def test_a_sequential_model_takes_another_image_size(batch):
    model = _deferred()
    patch_model(model, "PIGGYBACK")
    assert model(tf.zeros((2, 12, 10, 3))).shape == (2, 2)
    trainable = {id(v) for v in model.trainable_variables}
    (mask,) = model.patch.host_patches.values()
    assert id(mask.latent_mask) in trainable


def test_penalties_join_the_losses_of_the_model():
    model = _functional()
    config = patch_pb2.Patch()
    options = config.part.add().binary_mask
    options.lambda_sps, options.lambda_adp = 0.5, 2.0
    patch = patch_model(model, config)
    (mask,) = patch.host_patches.values()
    mask.residual_scale.assign(0.5)
    assert sum(model.losses).numpy() == pytest.approx(0.5 + 2.0 * 0.25)
    mask.latent_gate.assign(-1.0)
    assert sum(model.losses).numpy() == pytest.approx(2.0 * 0.25)


def test_a_patch_without_penalties_adds_no_loss():
    model = _functional()
    patch_model(model, "PIGGYBACK")
    assert model.losses == []


def test_what_a_patch_cannot_ship_is_frozen(batch):
    """PReLU, LayerNorm and 1-D convolutions are no hosts."""
    inputs = outputs = keras.Input((8, 8, 3))
    others = [
        _L.PReLU(shared_axes=[1, 2]),
        _L.LayerNormalization(),
        _L.Reshape((36, 4)),
        _L.Conv1D(4, 3),
    ]
    for layer in [_L.Conv2D(4, 3), *others, _L.Flatten(), _L.Dense(2)]:
        outputs = layer(outputs)
    model = keras.Model(inputs, outputs)
    patch_model(model, "FINE_TUNING")
    _compile(model, run_eagerly=True)
    frozen = [weight for layer in others for weight in layer.weights]
    before = [weight.numpy() for weight in frozen]
    assert len(frozen) == 1 + 2 + 2
    model.train_on_batch(*batch)
    for weight, value in zip(frozen, before, strict=True):
        np.testing.assert_array_equal(weight, value)
    shipped = {edit.target for edit in model.patch.edits()}
    assert len(shipped) == len(model.trainable_variables) == 4


# Refusals.


def test_a_model_that_is_not_built_is_refused():
    with pytest.raises(
        ValueError,
        match=r"needs a built model; call it once on an input\. "
        r"Received: \w+ \(_Subclassed\), not built\.",
    ):
        patch_model(_Subclassed(), "SPOTPATCH")


def test_a_second_patch_is_refused():
    model = _functional()
    patch_model(model, "SPOTPATCH")
    with pytest.raises(
        ValueError,
        match=r"carries one patch\. Received: a model that already has "
        r"SPOTPATCH\.",
    ):
        patch_model(model, "BN_PATCH")


def test_a_model_without_convolutions_is_refused():
    model = keras.Sequential([_L.Input((4,)), _L.Dense(2)], name="mlp")
    with pytest.raises(
        ValueError, match=r"with convolutions\. Received: mlp with 2 layers"
    ):
        patch_model(model, "SPOTPATCH")


def test_a_config_that_the_model_cannot_carry_changes_nothing():
    model = _functional()
    for preset, message in (
        ("TOWER_PATCH", "prediction tower"),
        ("DW_PATCH", "depthwise convolutions"),
        ("LORA", "must be one of"),
    ):
        with pytest.raises(ValueError, match=message):
            patch_model(model, preset)
    assert len(model.trainable_variables) == 6
    patch_model(model, "BN_PATCH")


def test_a_model_of_keras_3_is_refused():
    import keras as keras_3

    model = keras_3.Sequential(
        [keras_3.layers.Input((8, 8, 3)), keras_3.layers.Conv2D(2, 3)]
    )
    assert keras_3.__version__.startswith("3.")
    with pytest.raises(
        ValueError,
        match=r"needs a model of Keras 2 \(tf_keras; "
        r"`object_detection_patch\.keras_version\.keras`\)\. "
        r"Received: keras\..*\.Sequential\.",
    ):
        patch_model(model, "SPOTPATCH")


@pytest.mark.parametrize("other", [None, "model", 3])
def test_what_is_no_model_is_refused(other):
    with pytest.raises(
        ValueError, match=rf"Received: builtins\.{type(other).__name__}\."
    ):
        patch_model(other, "SPOTPATCH")


# A real network.


def _mobilenet():
    keras.utils.set_random_seed(3)
    return keras.applications.MobileNetV2(
        input_shape=(64, 64, 3),
        alpha=0.35,
        weights=None,
        classes=2,
        classifier_activation=None,
    )


@pytest.fixture(scope="module")
def toy():
    """Horizontal and vertical stripes, in noise."""
    random = np.random.default_rng(0)
    labels = np.arange(16) % 2
    stripes = np.sin(np.arange(64) * 0.8)
    images = random.normal(0, 0.2, (16, 64, 64, 3))
    images[labels == 0] += stripes[None, :, None, None]
    images[labels == 1] += stripes[None, None, :, None]
    return images.astype(np.float32), labels


@pytest.fixture(scope="module")
def fitted(toy):
    """A MobileNetV2 trained with SPOTPATCH; its base before; its losses."""
    model = _mobilenet()
    patch = patch_model(model, "SPOTPATCH")
    before = {k: v.numpy() for k, v in patch.hosts.base_tensors().items()}
    # Tracing a graph of it takes longer than these twelve steps. At a higher
    # rate the processor's rounding decides whether they diverge.
    _compile(model, rate=0.005, run_eagerly=True)
    history = model.fit(*toy, batch_size=8, epochs=6, verbose=0, shuffle=False)
    return model, before, history.history["loss"]


def test_mobilenet_learns(fitted):
    _, _, losses = fitted
    assert np.isfinite(losses).all()
    assert losses[-1] < 0.7 * losses[0]


def test_mobilenets_kernels_stay_bit_equal(fitted):
    model, before, _ = fitted
    kernels = model.patch.hosts.kernels
    # 1 + 17 blocks of expand, depthwise and project, the first without an
    # expansion, and the last convolution.
    assert len(kernels) == 1 + 2 + 16 * 3 + 1
    for host in kernels:
        assert host.variable.numpy().tobytes() == before[host.name].tobytes()
    optimized = sum(int(np.prod(v.shape)) for v in model.optimizer.variables)
    trainable = model.trainable_variables
    assert optimized == 2 * sum(int(np.prod(v.shape)) for v in trainable) + 1


def test_mobilenets_patch_merges_into_a_plain_one(fitted, toy):
    model, before, _ = fitted
    patch = model.patch
    data = to_bytes(
        Patch(patch.method, patch.base_fingerprint, tuple(patch.edits()))
    )
    plain = _mobilenet()
    variables = {v.name: v for v in plain.variables}
    for name, value in before.items():
        np.testing.assert_array_equal(variables[_keras_name(name)], value, name)
    base_outputs = plain(toy[0], training=False).numpy()
    edited = apply_edits(before, from_bytes(data).edits)
    for name, value in edited.items():
        variables[_keras_name(name)].assign(value)
    patched = model(toy[0], training=False).numpy()
    np.testing.assert_allclose(
        plain(toy[0], training=False), patched, rtol=0, atol=1e-5
    )
    assert np.abs(base_outputs - patched).max() > 1e-3


def _keras_name(name):
    return f"{name.split('/', 1)[1]}:0"


def test_mobilenets_footprint(fitted):
    patch = fitted[0].patch
    heads = [head.name for head in patch.hosts.heads]
    found = nominal_footprint(patch.edits(gates="open"), uncounted=heads)
    kernels = sum(host.size for host in patch.hosts.kernels)
    channels = sum(host.channels for host in patch.hosts.batch_norms)
    assert found.mask_bits == kernels
    assert found.float_values == 52 + 2 * channels
    assert found.class_head_values == 1280 * 2 + 2


def test_mobilenets_weights_survive_a_file(fitted, toy, tmp_path):
    model = fitted[0]
    model.save_weights(str(tmp_path / "mobilenet"))
    again = _mobilenet()
    patch_model(again, "SPOTPATCH")
    again.load_weights(str(tmp_path / "mobilenet")).expect_partial()
    np.testing.assert_allclose(
        again(toy[0], training=False),
        model(toy[0], training=False),
        rtol=0,
        atol=1e-6,
    )
    assert again.patch.edits() == model.patch.edits()
