"""Records are counted without reading them."""

import types

import pytest
import tensorflow as tf

from object_detection_patch.multi_task import epochs


@pytest.fixture
def task(tmp_path):
    """A task of 8 records in two files, one of them empty-handed."""
    for name, count in (("x-00000", 5), ("x-00001", 3), ("x-00002", 0)):
        with tf.io.TFRecordWriter(str(tmp_path / name)) as writer:
            for number in range(count):
                writer.write(b"." * number * 1000)
    space = types.SimpleNamespace
    records = space(input_path=[str(tmp_path / "x-*")])
    return space(
        name="pets",
        train_config=space(batch_size=4),
        pipeline=space(
            train_input_reader=space(tf_record_input_reader=records)
        ),
    )


def test_every_record_of_every_file_counts(task):
    assert epochs.count_images(task) == 8


def test_the_line_says_how_often_each_image_is_seen(task):
    assert epochs.describe(task, steps=1000) == (
        "pets: 8 images in batches of 4, 500.0 epochs in 1,000 steps"
    )
