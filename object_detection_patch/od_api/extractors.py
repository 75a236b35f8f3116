"""Feature extractor types that we register with the Object Detection API."""

from __future__ import annotations

import functools
from typing import Any

NARROW_MOBILENET_V2_FPN = "ssd_mobilenet_v2_fpn_narrow_keras"


def register() -> None:
    """Makes our extractor types known to the model builder; idempotent."""
    from object_detection.builders import model_builder

    table = model_builder.SSD_KERAS_FEATURE_EXTRACTOR_CLASS_MAP
    if NARROW_MOBILENET_V2_FPN not in table:
        table[NARROW_MOBILENET_V2_FPN] = _narrow_mobilenet_v2_fpn()


def _narrow_mobilenet_v2_fpn() -> type[Any]:
    from object_detection.models import (
        ssd_mobilenet_v2_fpn_keras_feature_extractor as stock,
    )

    class SSDMobileNetV2FpnNarrowKerasFeatureExtractor(
        stock.SSDMobileNetV2FpnKerasFeatureExtractor
    ):
        """MobileNetV2 FPNLite whose last convolution has 256 filters.

        The stock extractor prepares that width for `use_depthwise` and then
        never hands it to the backbone. The SpotPatch paper's footprints are
        those of the narrow network.
        """

        def build(self, input_shape: Any) -> None:
            backbones = stock.mobilenet_v2
            original = backbones.mobilenet_v2
            backbones.mobilenet_v2 = functools.partial(
                original, conv_defs=self._conv_defs
            )
            try:
                super().build(input_shape)
            finally:
                backbones.mobilenet_v2 = original

    return SSDMobileNetV2FpnNarrowKerasFeatureExtractor
