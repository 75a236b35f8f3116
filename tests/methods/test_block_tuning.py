"""The blocks that train, and that nothing else of the backbone does."""

from __future__ import annotations

import numpy as np
import pytest
from google.protobuf import text_format

from object_detection_patch import hosts as hosts_lib
from object_detection_patch import methods
from object_detection_patch.keras_version import keras
from object_detection_patch.methods.block_layers import main_path_block
from object_detection_patch.protos import patch_pb2


@pytest.fixture(scope="module")
def hosts():
    backbone = keras.applications.MobileNetV2(
        weights=None, include_top=False, input_shape=(32, 32, 3), alpha=0.35
    )
    neck = keras.layers.Conv2D(4, 1, name="neck")
    head = keras.layers.Conv2D(2, 1, name="head")
    head(neck(backbone.output))
    return hosts_lib.find_hosts(
        [(hosts_lib.BACKBONE, layer) for layer in backbone.layers]
        + [(hosts_lib.FPN, neck), (hosts_lib.CLASS_HEAD, head)]
    )


def _patch(text, hosts):
    return methods.build(text_format.Parse(text, patch_pb2.Patch()), hosts)


def _blocks(patch):
    trained = [h for h in patch.hosts if h.name in patch.host_patches]
    return {main_path_block(host.layer) for host in trained} - {None}


def _others(patch):
    """Trained hosts outside of blocks."""
    return {
        host.name
        for host in patch.hosts
        if host.name in patch.host_patches and not main_path_block(host.layer)
    }


@pytest.mark.parametrize("last", [1, 2, 3])
def test_the_last_blocks_and_the_neck(last, hosts):
    patch = _patch(f"preset: LAST_{last}", hosts)

    assert _blocks(patch) == {f"block_{17 - i}" for i in range(1, last + 1)}
    assert _others(patch) == {
        "backbone/Conv_1/kernel",
        "backbone/Conv_1_bn",
        "fpn/neck/kernel",
        "fpn/neck/bias",
    }


def test_a_feature_extractor_trains_heads_alone(hosts):
    patch = _patch("preset: FEATURE_EXTRACTOR", hosts)

    assert not patch.host_patches
    assert [edit.target for edit in patch.edits()] == [
        "class_head/head/kernel",
        "class_head/head/bias",
    ]


def test_every_host_of_a_block_trains(hosts):
    patch = _patch("preset: LAST_1", hosts)

    assert {
        name.split("/")[1] for name in patch.host_patches if "block_" in name
    } == {
        f"block_16_{layer}"
        for role in ("expand", "depthwise", "project")
        for layer in (role, f"{role}_BN")
    }


def test_chance_picks_half_of_the_blocks_and_the_same_again(hosts):
    first, again = (
        _blocks(_patch("preset: STOCHASTIC_FINE_TUNING", hosts))
        for _ in range(2)
    )
    other = _blocks(
        _patch("part { block_tuning { share: .5 seed: 2 } }", hosts)
    )

    assert first == again
    assert len(first) == len(other) == 8  # round(17 / 2), to the even
    assert first != other


def test_a_backbone_without_blocks_is_refused(small_hosts):
    for preset in ("LAST_1", "STOCHASTIC_FINE_TUNING"):
        with pytest.raises(ValueError, match="residual blocks.* Received: one"):
            _patch(f"preset: {preset}", small_hosts)
    assert not _patch("preset: FEATURE_EXTRACTOR", small_hosts).host_patches


def test_values_ship_as_they_are(hosts):
    patch = _patch("preset: LAST_1", hosts)
    values = {k: v.numpy() for k, v in hosts.base_tensors().items()}
    for edit in patch.edits():
        if edit.target in values:
            np.testing.assert_array_equal(edit.values, values[edit.target])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("last: 18", "at most the number of blocks .* 17. Received: 18"),
        ("share: 1.5", "`block_tuning.share` must be >= 0, <= 1"),
        ("last: 1 share: 0.5", "takes `last` or `share`. Received: last 1"),
    ],
)
def test_what_cannot_be_is_refused(options, message, hosts):
    with pytest.raises(ValueError, match=message):
        _patch(f"part {{ block_tuning {{ {options} }} }}", hosts)
