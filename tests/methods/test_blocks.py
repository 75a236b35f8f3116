"""Blocks of real backbones, found by name, in an order that can run."""

from __future__ import annotations

import pytest

from object_detection_patch.keras_version import keras
from object_detection_patch.methods.blocks import block_of, find_units


def _backbone(kind, **options):
    return getattr(keras.applications, kind)(
        weights=None, include_top=False, input_shape=(32, 32, 3), **options
    )


@pytest.fixture(scope="module")
def mobilenet():
    return _backbone("MobileNetV2", alpha=0.35)


@pytest.fixture(scope="module")
def resnet():
    return _backbone("ResNet50")


def _blocks(model):
    return [unit.block for unit in find_units(model) if unit.block]


def test_mobilenet_v2_has_seventeen(mobilenet):
    assert _blocks(mobilenet) == [
        "expanded_conv",
        *(f"block_{number}" for number in range(1, 17)),
    ]


def test_resnet_50_has_sixteen(resnet):
    assert _blocks(resnet) == [
        f"conv{stage}_block{block}"
        for stage, blocks in ((2, 3), (3, 4), (4, 6), (5, 3))
        for block in range(1, blocks + 1)
    ]


@pytest.mark.parametrize("name", ["mobilenet", "resnet"])
def test_every_layer_is_in_one_unit_after_what_it_reads(name, request):
    model = request.getfixturevalue(name)
    units = find_units(model)
    known = {str(id(tensor)) for tensor in model.inputs}
    for unit in units:
        assert unit.inputs <= known
        known |= set(unit.outputs)
    layers = [node.layer.name for unit in units for node in unit.nodes]
    assert sorted(layers) == sorted(
        layer.name
        for layer in model.layers
        if not isinstance(layer, keras.layers.InputLayer)
    )


@pytest.mark.parametrize(
    ("name", "block"),
    [
        ("block_3_depthwise_BN", "block_3"),
        ("block_13_pad", "block_13"),
        ("expanded_conv_project", "expanded_conv"),
        ("block_3_add", None),
        ("Conv1", None),
        ("conv4_block2_2_relu", "conv4_block2"),
        ("conv4_block1_0_conv", None),
        ("conv4_block1_add", None),
        ("conv4_block1_out", None),
    ],
)
def test_shortcuts_and_sums_are_of_no_block(name, block):
    assert block_of(keras.layers.Layer(name=name)) == block


def test_a_model_without_blocks_is_refused():
    inputs = keras.Input((4, 4, 3))
    model = keras.Model(inputs, keras.layers.Conv2D(2, 1)(inputs))

    with pytest.raises(ValueError, match="MobileNetV2 or a ResNet. Received"):
        find_units(model)


def test_a_model_without_a_graph_is_refused():
    class Subclassed(keras.Model):
        pass

    with pytest.raises(ValueError, match="functional .* Received: Subclassed"):
        find_units(Subclassed())
