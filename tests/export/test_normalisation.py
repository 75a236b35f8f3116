"""How a model wants its pixels, against preprocessors written by hand."""

from __future__ import annotations

import types

import numpy as np
import pytest
import tensorflow as tf
import tiny_detector

from object_detection_patch.export.normalisation import (
    Normalisation,
    measured,
    of_model,
)
from object_detection_patch.od_api import compat
from object_detection_patch.tflite.model_metadata import detector_metadata

compat.enable()
from object_detection.models import (  # noqa: E402
    ssd_efficientnet_bifpn_feature_extractor as efficientnet,
)
from object_detection.models import (  # noqa: E402
    ssd_mobilenet_v2_fpn_keras_feature_extractor as mobilenet,
)
from object_detection.models import (  # noqa: E402
    ssd_resnet_v1_fpn_keras_feature_extractor as resnet,
)


class _Extractor:
    """Stands for the extractor that a message is to name."""


def _model(preprocess):
    """Stands for an SSDMetaArch that has no more than its preprocessing."""
    return types.SimpleNamespace(
        feature_extractor=_Extractor(),
        preprocess=lambda images: (preprocess(images), None),
    )


def _assert_near(found, mean, std):
    np.testing.assert_allclose(found.mean, mean, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(found.std, std, rtol=1e-5)
    assert all(type(value) is float for value in (*found.mean, *found.std))


@pytest.mark.parametrize(
    ("preprocess", "mean", "std"),
    [
        (lambda x: x / 127.5 - 1, [127.5], [127.5]),
        (lambda x: x, [0], [1]),
        (lambda x: x / 255, [0], [255]),
        (lambda x: 1 - x / 255, [255], [-255]),
        (lambda x: x - 128, [128], [1]),
        (lambda x: x - [10.0, 20.0, 30.0], [10, 20, 30], [1, 1, 1]),
        (lambda x: x * [0.5, 1.0, 0.25], [0, 0, 0], [2, 1, 4]),
    ],
)
def test_a_scale_and_an_offset_are_found(preprocess, mean, std):
    found = measured(_model(preprocess))
    assert len(found.mean) == len(found.std) == len(mean)
    _assert_near(found, mean, std)


@pytest.mark.parametrize(
    ("extractor", "mean", "std"),
    [
        (mobilenet.SSDMobileNetV2FpnKerasFeatureExtractor, [127.5], [127.5]),
        (
            resnet.SSDResNet50V1FpnKerasFeatureExtractor,
            [123.68, 116.779, 103.939],
            [1, 1, 1],
        ),
        (
            efficientnet.SSDEfficientNetB0BiFPNKerasFeatureExtractor,
            [123.675, 116.28, 103.53],
            [58.395, 57.12, 57.375],
        ),
    ],
)
def test_extractors_of_the_od_api(extractor, mean, std):
    found = measured(_model(lambda images: extractor.preprocess(None, images)))
    _assert_near(found, mean, std)


@pytest.mark.parametrize(
    "preprocess",
    [
        tf.sqrt,
        lambda x: tf.minimum(x, 150),
        lambda x: x / 127.5 - 1 + 1e-3 * tf.sin(x),
        lambda x: tf.zeros_like(x),
        lambda x: x * [1.0, 1.0, 0.0],
        lambda x: x[..., ::-1],
        lambda x: x - tf.reduce_mean(x, axis=-1, keepdims=True) / 2,
        tf.image.per_image_standardization,
        lambda x: x * np.nan,
    ],
    ids=[
        "root",
        "clipped",
        "nearly",
        "constant",
        "no blue",
        "BGR",
        "mixed",
        "by the image",
        "NaN",
    ],
)
def test_other_preprocessing_is_refused(preprocess):
    with pytest.raises(
        ValueError, match="must scale and shift each channel.*_Extractor"
    ):
        measured(_model(preprocess))


@pytest.mark.parametrize(
    ("mean", "std", "wanted"),
    [
        ((127.5,), (127.5,), [[[-1, 0, 1]]]),
        ((0, 127.5, 255), (1, 0.5, 2), [[[0, 0, 0]]]),
        ((10, 20, 55), (2, 1, -4), [[[-5, 107.5, -50]]]),
    ],
)
def test_pixels_become_inputs(mean, std, wanted):
    pixels = np.array([[[0, 127.5, 255]]], np.float32)
    found = Normalisation(mean, std).apply(pixels)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize(
    ("mean", "std"), [((127.5,), (127.5,)), ((1, 2.5, 3), (4, 5.25, 60))]
)
def test_a_model_says_what_it_wants(mean, std):
    metadata = detector_metadata(
        name="Signs",
        description="Road signs",
        image_size=(4, 4),
        mean=mean,
        std=std,
    )
    model = tiny_detector.make("float32", metadata=metadata).data
    assert of_model(model) == Normalisation(mean, std)


def test_a_model_that_does_not_say_is_refused():
    with pytest.raises(ValueError, match="must hold TFLite Model Metadata"):
        of_model(tiny_detector.make("float32").data)
