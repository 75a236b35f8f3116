"""Profiles of plain Keras classifiers, and of MobileTL on them."""

from __future__ import annotations

import numpy as np
import pytest

from object_detection_patch.keras_version import keras
from object_detection_patch.methods.patch_model import patch_model
from object_detection_patch.profiling import costs, traced
from object_detection_patch.protos import patch_pb2

_MODELS = ("MobileNetV2", "MobileNetV3Small")


def _rows(name, **options):
    model = getattr(keras.applications, name)(
        input_shape=(32, 32, 3), weights=None, classes=3
    )
    if options:
        config = patch_pb2.Patch()
        part = config.part.add().mobile_tl
        for option, value in options.items():
            setattr(part, option, value)
        patch_model(model, config)
    rows = costs.by_layer(traced.of_keras_model(model, 4), slots=2)
    return model, {row.name: row for row in rows}


@pytest.fixture(scope="module", params=_MODELS)
def profiles(request):
    """(name, rows of all trained, of two blocks as they are, of MobileTL)."""
    return request.param, [
        _rows(request.param, **options)
        for options in (
            {},
            {"trainable_blocks": 2, "approximate": False},
            {"trainable_blocks": 2},
        )
    ]


def test_every_parameter_is_found(profiles):
    for model, rows in profiles[1]:
        total = costs.in_sum(rows.values())
        trained = sum(int(np.prod(v.shape)) for v in model.trainable_variables)
        assert total.trained_parameters == trained
        assert total.parameters == model.count_params() - _bookkeeping(model)


def _bookkeeping(model):
    """Values of the patch that no forward pass reads."""
    patch = getattr(model, "patch", None)
    if patch is None:
        return 0
    own = {id(v): v for v in patch.weights}
    hosts = patch.hosts.base_tensors() | patch.hosts.head_tensors()
    used = {id(v) for v in hosts.values()}
    return sum(int(np.prod(v.shape)) for i, v in own.items() if i not in used)


def test_mobile_tl_keeps_less_than_the_blocks_as_they_are(profiles):
    _, profiled = profiles
    everything, vanilla, mobile = (
        costs.in_sum(rows.values()) for _, rows in profiled
    )
    assert mobile.kept_bytes < vanilla.kept_bytes < everything.kept_bytes
    assert mobile.backward_flops < vanilla.backward_flops
    assert vanilla.backward_flops < everything.backward_flops
    assert mobile.forward_flops == pytest.approx(vanilla.forward_flops, rel=0.1)


def test_in_a_block_norms_keep_nothing_and_activations_a_bit(profiles):
    """Of 4 images: 1 x 1 places, 960 channels (V2), 576 (V3)."""
    name, (_, (_, vanilla), (_, mobile)) = profiles
    if name == "MobileNetV2":
        norms = ["block_16_expand_BN", "block_16_depthwise_BN"]
        elements, bits = 4 * 960, 2
    else:
        norms = [
            "expanded_conv_10/expand/BatchNorm",
            "expanded_conv_10/depthwise/BatchNorm",
        ]
        elements, bits = 4 * 576, 32
    for norm in norms:
        assert mobile[norm].kept_bytes == 0
        assert vanilla[norm].kept_bytes == 4 * elements
    saved = costs.in_sum(vanilla.values()).kept_bytes
    saved -= costs.in_sum(mobile.values()).kept_bytes
    # Two blocks, each of two norms and two activations.
    assert saved == 4 * (4 * elements) + 4 * elements * (bits - 1) // 8


def test_nothing_is_kept_below_the_blocks_that_train(profiles):
    name, (_, _, (_, mobile)) = profiles
    first = {"MobileNetV2": "block_15_"}.get(name, "expanded_conv_9/")
    names = list(mobile)
    start = next(i for i, n in enumerate(names) if n.startswith(first))
    assert not any(mobile[n].kept_bytes for n in names[:start])
    assert not any(mobile[n].backward_flops for n in names[:start])
    assert mobile[names[start]].kept_bytes


def test_kernels_held_in_int8_take_a_quarter():
    """By the kernels below the two blocks that train, stem included."""
    model, rows = _rows("MobileNetV2", trainable_blocks=2, frozen_int8=True)
    _, whole = _rows("MobileNetV2", trainable_blocks=2)
    below = sum(
        host.size
        for host in model.patch.hosts.kernels
        if not host.layer.trainable
    )
    saved = costs.in_sum(whole.values()).parameter_bytes
    saved -= costs.in_sum(rows.values()).parameter_bytes
    assert saved == 3 * below > 1_000_000
