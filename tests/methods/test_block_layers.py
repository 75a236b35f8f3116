"""Layer names of the backbones that tf_keras has."""

from __future__ import annotations

import pytest

from object_detection_patch.keras_version import keras
from object_detection_patch.methods.block_layers import (
    BlockLayer,
    block_layer,
    main_path_block,
)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("block_3_depthwise_BN", BlockLayer("block_3", "depthwise")),
        ("block_13_pad", BlockLayer("block_13", "pad")),
        ("expanded_conv_project", BlockLayer("expanded_conv", "project")),
        ("expanded_conv/depthwise", BlockLayer("expanded_conv", "depthwise")),
        (
            "expanded_conv_3/squeeze_excite/Conv",
            BlockLayer("expanded_conv_3", "squeeze_excite"),
        ),
        (
            "expanded_conv_10/expand/BatchNorm",
            BlockLayer("expanded_conv_10", "expand"),
        ),
        ("conv4_block2_2_relu", BlockLayer("conv4_block2", "2")),
        ("conv4_block1_0_conv", BlockLayer("conv4_block1", "0")),
        ("block_3_add", None),
        ("expanded_conv_3/Add", None),
        ("block_3_expander", None),
        ("conv4_block1_add", None),
        ("conv4_block1_out", None),
        ("Conv1", None),
    ],
)
def test_the_place_of_a_layer(name, place):
    assert block_layer(keras.layers.Layer(name=name)) == place


@pytest.mark.parametrize(
    ("name", "block"),
    [
        ("block_3_depthwise_BN", "block_3"),
        ("conv4_block2_2_relu", "conv4_block2"),
        ("conv4_block1_0_conv", None),
        ("block_3_add", None),
    ],
)
def test_a_shortcut_is_on_no_main_path(name, block):
    assert main_path_block(keras.layers.Layer(name=name)) == block


@pytest.mark.parametrize(
    ("application", "blocks"),
    [("MobileNetV2", 17), ("MobileNetV3Large", 15), ("ResNet50", 16)],
)
def test_every_block_of_an_application_is_found(application, blocks):
    model = getattr(keras.applications, application)(
        weights=None, include_top=False, input_shape=(32, 32, 3)
    )
    found = map(block_layer, model.layers)

    assert len({place.block for place in found if place}) == blocks
