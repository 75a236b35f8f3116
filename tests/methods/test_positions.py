"""Where kernels lie, in the networks that the OD API uses as backbones."""

from __future__ import annotations

import collections

import pytest

from object_detection_patch import hosts as hosts_lib
from object_detection_patch.keras_version import keras
from object_detection_patch.methods.positions import positions


def _hosts(model):
    return hosts_lib.find_hosts(("backbone", layer) for layer in model.layers)


@pytest.fixture(scope="module")
def mobilenet():
    model = keras.applications.MobileNetV2(
        weights=None, include_top=False, input_shape=(32, 32, 3), alpha=0.35
    )
    return positions(_hosts(model))


@pytest.fixture(scope="module")
def resnet():
    model = keras.applications.ResNet50(
        weights=None, include_top=False, input_shape=(32, 32, 3)
    )
    return positions(_hosts(model))


def _layers(found, *, trunk):
    """Layers of a trunk without what follows the block's name."""
    layers = [
        name.split("/")[1] for name, at in found.items() if at.trunk == trunk
    ]
    return list(dict.fromkeys(layers))


def _steps(found, prefix):
    return {
        name.split("/")[1].removeprefix(prefix): at.step
        for name, at in found.items()
        if name.split("/")[1].startswith(prefix)
    }


def test_trunks_of_mobilenet_v2(mobilenet):
    """19 units: the stem, 17 blocks, the last convolution."""
    early, mid, late = (_layers(mobilenet, trunk=trunk) for trunk in range(3))

    assert early[:3] == [
        "Conv1",
        "expanded_conv_depthwise",
        "expanded_conv_project",
    ]
    assert early[-1] == "block_5_project"
    assert (mid[0], mid[-1]) == ("block_6_expand", "block_11_project")
    assert (late[0], late[-1]) == ("block_12_expand", "Conv_1")


def test_trunks_of_resnet_50(resnet):
    """17 units: the stem and 16 blocks; a shortcut goes with its block."""
    early, mid, late = (_layers(resnet, trunk=trunk) for trunk in range(3))

    assert (early[0], early[-1]) == ("conv1_conv", "conv3_block2_3_conv")
    assert (mid[0], mid[-1]) == ("conv3_block3_1_conv", "conv4_block4_3_conv")
    assert (late[0], late[-1]) == ("conv4_block5_1_conv", "conv5_block3_3_conv")
    assert "conv4_block1_0_conv" in mid


def test_steps_of_mobilenet_v2(mobilenet):
    assert _steps(mobilenet, "block_7_") == {
        "expand": 1,
        "depthwise": 0,
        "project": 2,
    }
    # The first block does not expand.
    assert _steps(mobilenet, "expanded_conv_") == {"depthwise": 0, "project": 1}
    assert _steps(mobilenet, "Conv") == {"1": 0, "_1": 0}
    counts = collections.Counter(at.step for at in mobilenet.values())
    assert (counts[1], counts[2]) == (17, 16)


def test_steps_of_resnet_50(resnet):
    assert _steps(resnet, "conv3_block1_") == {
        "1_conv": 1,
        "2_conv": 2,
        "3_conv": 3,
        "0_conv": 0,
    }
    counts = collections.Counter(at.step for at in resnet.values())
    assert counts == {0: 1 + 4, 1: 16, 2: 16, 3: 16}


def test_what_follows_the_backbone_is_late(small_hosts):
    found = positions(small_hosts)

    assert {name: at.trunk for name, at in found.items()} == {
        "backbone/stem/kernel": 0,
        "backbone/dw/depthwise_kernel": 1,
        "backbone/pw/kernel": 2,
        "tower/tower_conv/depthwise_kernel": 2,
        "tower/tower_conv/pointwise_kernel": 2,
    }
    assert {at.step for at in found.values()} == {0}
