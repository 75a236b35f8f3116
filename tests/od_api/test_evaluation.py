"""Images with their truth and what a model detects in them."""

import numpy as np
import pytest
import tensorflow as tf

from object_detection_patch.od_api import base_model, evaluation, host_layers


@pytest.fixture(scope="module")
def base(small_world):
    model = small_world.unpatched_model()
    base_model.restore_base(
        model,
        host_layers.find_ssd_hosts(model),
        small_world.base_checkpoint,
        checkpoint_type="full",
    )
    return model


def _detected(base, small_world, **options):
    files = small_world.files["shapes"]
    return list(
        evaluation.detect(
            base,
            [str(files.eval)],
            label_map_path=str(files.label_map),
            **options,
        )
    )


@pytest.fixture(scope="module")
def detected(base, small_world):
    """4 images in groups of 3: the last group is padded."""
    return _detected(base, small_world, batch_size=3)


def test_images_and_truth_are_the_records(small_world, detected):
    """Against the examples' own features, parsed by hand."""
    files = sorted(
        small_world.files["shapes"].eval.parent.glob("*eval.record*")
    )
    raw = [
        tf.train.Example.FromString(record)
        for file in files
        for record in tf.data.TFRecordDataset(str(file)).as_numpy_iterator()
    ]
    assert len(detected) == len(raw) == 4
    for image, example in zip(detected, raw, strict=True):
        feature = example.features.feature
        assert image.source_id.encode() in (
            feature["image/source_id"].bytes_list.value[0],
            feature["image/filename"].bytes_list.value[0],
        )
        pixels = tf.io.decode_image(
            feature["image/encoded"].bytes_list.value[0]
        )
        np.testing.assert_array_equal(image.image, pixels)
        corners = [
            feature[f"image/object/bbox/{key}"].float_list.value
            for key in ("ymin", "xmin", "ymax", "xmax")
        ]
        np.testing.assert_allclose(
            image.true_boxes, np.stack(corners, axis=1), rtol=1e-6
        )
        assert list(image.true_classes) == list(
            feature["image/object/class/label"].int64_list.value
        )
        assert image.difficult.shape == image.true_classes.shape
        assert image.difficult.dtype == image.group_of.dtype == bool


def test_detections_are_the_models_own(base, detected):
    base_model.set_training(base, False)
    for image in detected:
        inputs, shapes = base.preprocess(tf.cast(image.image[None], tf.float32))
        expected = base.postprocess(base.predict(inputs, shapes), shapes)
        scores = expected["detection_scores"][0].numpy()
        kept = scores > 0
        assert len(image.scores) == kept.sum() > 10
        np.testing.assert_allclose(image.scores, scores[kept], atol=1e-5)
        np.testing.assert_array_equal(
            image.classes,
            expected["detection_classes"][0].numpy()[kept].astype(int) + 1,
        )
        assert image.classes.min() >= 1
        np.testing.assert_allclose(
            image.boxes, expected["detection_boxes"][0].numpy()[kept], atol=1e-3
        )


def test_limit_stops_early(base, small_world, detected):
    few = _detected(base, small_world, batch_size=3, limit=2)
    assert [i.source_id for i in few] == [i.source_id for i in detected[:2]]


def test_no_records(base, small_world):
    with pytest.raises(
        ValueError,
        match=r"must be TFRecord files to read\. Received: \['/nowhere/x'\]",
    ):
        list(
            evaluation.detect(
                base,
                ["/nowhere/x"],
                label_map_path=str(small_world.files["shapes"].label_map),
            )
        )
