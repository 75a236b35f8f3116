"""Input sizes: which an FPN can add up, and which are refused."""

import pytest

from object_detection_patch.od_api import (
    base_model,
    compat,
    input_size,
    pipeline_config,
)

compat.enable()
_FPN = "ssd_mobilenet_v2_fpn_keras"


def _pipeline(height, width, *, kind=_FPN, extractor="", resizer=None):
    resizer = resizer or (
        f"fixed_shape_resizer {{ height: {height} width: {width} }}"
    )
    return pipeline_config.parse_pipeline(
        f"""model {{ ssd {{
          image_resizer {{ {resizer} }}
          feature_extractor {{ type: '{kind}' {extractor} }}
        }} }}""",
        "a test",
    )


@pytest.mark.parametrize(
    ("kind", "extractor", "stride"),
    [
        (_FPN, "", 32),
        (_FPN, "fpn { min_level: 3 max_level: 7 }", 32),
        (_FPN, "fpn { min_level: 3 max_level: 4 }", 16),
        ("ssd_resnet50_v1_fpn_keras", "", 32),
        ("ssd_efficientnet-b0_bifpn_keras", "bifpn { max_level: 6 }", 64),
        ("ssd_mobilenet_v2_keras", "", 1),
    ],
)
def test_the_largest_stride_that_is_added_up(kind, extractor, stride):
    pipeline = _pipeline(320, 320, kind=kind, extractor=extractor)
    assert input_size.stride(pipeline.model) == stride


@pytest.mark.parametrize(
    ("size", "kind", "extractor"),
    [
        *[((side, side), _FPN, "") for side in (320, 256, 192, 160, 128, 64)],
        ((300, 300), "ssd_mobilenet_v2_keras", ""),
        ((100, 70), _FPN, "pad_to_multiple: 32"),
        ((64, 96), _FPN, ""),
    ],
)
def test_sizes_that_are_taken(size, kind, extractor):
    input_size.refuse_uneven(
        _pipeline(*size, kind=kind, extractor=extractor).model, "here"
    )


@pytest.mark.parametrize(
    ("size", "kind", "extractor", "rule"),
    [
        ((300, 320), _FPN, "", "multiples of 32.*from 64 .* 300x320"),
        ((32, 32), _FPN, "", "multiples of 32.*from 64 .* 32 pixels"),
        ((0, 96), _FPN, "", "0x96"),
        ((300, 300), _FPN, "pad_to_multiple: 8", "multiples of 32"),
        ((128, 128), "ssd_resnet50_v1_fpn_keras", "", "from 160 pixels"),
        ((32, 32), "ssd_mobilenet_v2_keras", "", "33 pixels or more"),
    ],
)
def test_sizes_that_are_refused(size, kind, extractor, rule):
    pipeline = _pipeline(*size, kind=kind, extractor=extractor)
    with pytest.raises(ValueError, match=rf"must be .*{rule}.*\(here\)\."):
        input_size.refuse_uneven(pipeline.model, "here")


def test_another_resizer_has_no_fixed_size():
    pipeline = _pipeline(0, 0, resizer="keep_aspect_ratio_resizer { }")
    input_size.refuse_uneven(pipeline.model, "here")
    with pytest.raises(ValueError, match="Received: keep_aspect_.* \\(here"):
        input_size.fixed_size(pipeline, "here")


def test_another_size_is_a_copy():
    pipeline = _pipeline(320, 320)
    other = input_size.with_size(pipeline, (128, 160))
    assert input_size.fixed_size(other, "") == (128, 160)
    assert input_size.fixed_size(pipeline, "") == (320, 320)
    assert input_size.size_text((128, 160)) == "128x160"
    assert input_size.size_text((128, 128)) == "128"


@pytest.mark.parametrize(("side", "runs"), [(96, True), (100, False)])
def test_the_rule_is_that_of_the_network(small_world, side, runs):
    """What is refused is what the FPN itself cannot add."""
    import tensorflow as tf

    model = small_world.unpatched_model()
    base_model.set_training(model, False)
    images = tf.zeros([1, side, side, 3])
    shapes = tf.constant([[side, side, 3]])
    if runs:
        model.predict(images, shapes)
    else:
        with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
            model.predict(images, shapes)
