"""Blocks of real backbones, found by name, in an order that can run."""

from __future__ import annotations

import pytest

from object_detection_patch.keras_version import keras
from object_detection_patch.methods.blocks import find_units


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


@pytest.fixture(scope="module")
def mobilenet_v3():
    return _backbone("MobileNetV3Small", minimalistic=False)


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


def test_mobilenet_v3_small_has_eleven(mobilenet_v3):
    assert _blocks(mobilenet_v3) == [
        "expanded_conv",
        *(f"expanded_conv_{number}" for number in range(1, 11)),
    ]


def test_activations_of_any_name_are_in_the_block_around_them(mobilenet_v3):
    units = {unit.block: unit for unit in find_units(mobilenet_v3)}
    inside = [node.layer.name for node in units["expanded_conv_4"].nodes]

    start = inside.index("expanded_conv_4/expand/BatchNorm")
    end = inside.index("expanded_conv_4/depthwise")
    activations = [
        name
        for name in inside[start + 1 : end]
        if not name.startswith("expanded_conv_4/")
    ]
    assert len(activations) >= 2  # Hard-swish is a ReLU6 and a product.
    assert len(units["expanded_conv_4"].outputs) == 1


@pytest.mark.parametrize("name", ["mobilenet", "mobilenet_v3", "resnet"])
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
