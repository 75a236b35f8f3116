"""The narrow extractor: ours by name, the stock one untouched."""

import pytest

from object_detection_patch.od_api import compat, extractors

compat.enable()
from object_detection.builders import model_builder  # noqa: E402
from object_detection.models import (  # noqa: E402
    ssd_mobilenet_v2_fpn_keras_feature_extractor as stock,
)


def _conv_1_filters(model):
    backbone = model.feature_extractor.classification_backbone
    (layer,) = [
        layer for layer in backbone._flatten_layers() if layer.name == "Conv_1"
    ]
    return layer.kernel.shape[-1]


def test_registers_once():
    extractors.register()
    table = model_builder.SSD_KERAS_FEATURE_EXTRACTOR_CLASS_MAP
    registered = table["ssd_mobilenet_v2_fpn_narrow_keras"]
    extractors.register()
    assert table["ssd_mobilenet_v2_fpn_narrow_keras"] is registered
    assert issubclass(registered, stock.SSDMobileNetV2FpnKerasFeatureExtractor)


@pytest.mark.parametrize(
    ("extractor", "filters"),
    [
        # 256 * 0.35 = 89.6, rounded to a multiple of 8 as MobileNetV2 does.
        ("ssd_mobilenet_v2_fpn_narrow_keras", 88),
        # The stock one keeps 1280 * 0.35.
        ("ssd_mobilenet_v2_fpn_keras", 448),
    ],
)
def test_width_of_the_last_convolution(small_world, extractor, filters):
    model = small_world.unpatched_model(feature_extractor__type=extractor)
    assert _conv_1_filters(model) == filters


def test_puts_the_stock_backbone_back(small_world):
    before = stock.mobilenet_v2.mobilenet_v2
    small_world.unpatched_model()
    assert stock.mobilenet_v2.mobilenet_v2 is before
