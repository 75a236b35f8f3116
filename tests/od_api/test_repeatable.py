"""One seed, one run: the OD API's input pipeline in order."""

import numpy as np
import pytest
import tensorflow as tf

from object_detection_patch.od_api import compat, pipeline_config, repeatable

compat.enable()

_AUGMENTED = """
  data_augmentation_options { random_horizontal_flip { } }
  data_augmentation_options { random_crop_image { } }
"""


@pytest.fixture(scope="module")
def augmented(small_world):
    pipeline = pipeline_config.read_pipeline(small_world.base_config)
    from google.protobuf import text_format

    text_format.Merge(_AUGMENTED, pipeline.train_config)
    return pipeline, small_world.unpatched_model()


def _batches(augmented, seed, count=4):
    """Images of the first batches, as the training loop gets them."""
    from object_detection import inputs

    pipeline, model = augmented
    with repeatable.repeatable(seed):
        dataset = inputs.train_input(
            train_config=pipeline.train_config,
            train_input_config=pipeline.train_input_reader,
            model_config=pipeline.model,
            model=model,
        )
        return [
            (features["image"].numpy(), labels["groundtruth_boxes"].numpy())
            for features, labels in dataset.repeat().take(count)
        ]


def test_equal_seeds_give_equal_batches(augmented):
    for one, other in zip(
        _batches(augmented, 4), _batches(augmented, 4), strict=True
    ):
        np.testing.assert_array_equal(one[0], other[0])
        np.testing.assert_array_equal(one[1], other[1])


def test_other_seeds_give_other_batches(augmented):
    one, other = _batches(augmented, 4, 1)[0], _batches(augmented, 5, 1)[0]
    assert not np.array_equal(one[0], other[0])


def test_crops_differ_from_batch_to_batch(augmented):
    """A seeded operation goes on; it does not repeat its first number."""
    images = np.concatenate([b[0] for b in _batches(augmented, 4, 8)])
    assert len({image.tobytes() for image in images}) > 8


def test_seeds_new_variables():
    drawn = []
    for seed in (1, 1, 2):
        with repeatable.repeatable(seed):
            drawn.append(tf.random.normal([3]).numpy())
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])


def _replaced():
    tf1 = tf.compat.v1
    return [
        tf1.data.Dataset.map_with_legacy_function,
        tf1.data.experimental.parallel_interleave,
        tf1.image.sample_distorted_bounding_box,
    ]


def test_puts_everything_back():
    before = _replaced()
    with pytest.raises(RuntimeError, match="stop"):
        with repeatable.repeatable(3):
            assert all(
                a is not b for a, b in zip(_replaced(), before, strict=True)
            )
            raise RuntimeError("stop")
    assert _replaced() == before


def test_without_a_seed_nothing_changes():
    before = _replaced()
    with repeatable.repeatable(None):
        assert _replaced() == before
