"""Images out of TFRecords, and records that hold none."""

import numpy as np
import pytest
import tensorflow as tf

from object_detection_patch.checkpoints.record_images import RecordImages


class _Model:
    """Resizes to 8 by 8, unless told to keep each image's size."""

    def __init__(self, *, resizes=True):
        self._resizes = resizes

    def preprocess(self, images):
        shapes = tf.shape(images)[1:][None]
        return (
            tf.image.resize(images, [8, 8]) if self._resizes else images,
            shapes,
        )


def _write(path, examples):
    with tf.io.TFRecordWriter(str(path)) as writer:
        for example in examples:
            writer.write(example)
    return str(path)


def _example(value, *, size=(8, 8), channels=3, key="image/encoded"):
    pixels = np.full((*size, channels), value, np.uint8)
    encoded = tf.io.encode_png(pixels).numpy()
    feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[encoded]))
    return tf.train.Example(
        features=tf.train.Features(feature={key: feature})
    ).SerializeToString()


def _values(batch):
    return [float(image[0, 0, 0]) for image in batch[0]]


def test_first_images_in_the_order_of_the_files(tmp_path):
    for part in range(2):
        examples = [_example(10 * part + i) for i in range(3)]
        _write(tmp_path / f"a.record-{part}", examples)
    images = RecordImages(f"{tmp_path}/a.record-*", _Model())
    batch = images.first(4)
    assert _values(batch) == [0, 1, 2, 10]
    assert batch[0].shape == (4, 8, 8, 3) and batch[0].dtype == tf.float32
    assert len(_values(images.first(99))) == 6


def test_batches_go_round_and_are_repeatable(tmp_path):
    path = _write(tmp_path / "a", [_example(i) for i in range(5)])
    runs = [
        [_values(b) for b in RecordImages(path, _Model()).batches(4, 5)]
        for _ in range(2)
    ]
    assert runs[0] == runs[1]
    assert [len(batch) for batch in runs[0]] == [4] * 5
    seen = sum(runs[0], [])
    assert [seen.count(value) for value in range(5)] == [4] * 5


def test_sizes_and_channels_may_differ(tmp_path):
    examples = [
        _example(1, size=(9, 20)),
        _example(2, channels=1),
        _example(3, channels=4),
    ]
    path = _write(tmp_path / "a", examples)
    batch = RecordImages(path, _Model()).first(3)
    np.testing.assert_allclose(_values(batch), [1, 2, 3])
    np.testing.assert_array_equal(batch[1][0], [9, 20, 3])


@pytest.mark.parametrize("where", ["none-*", "no/such/folder/x"])
def test_refuses_a_pattern_without_files(tmp_path, where):
    with pytest.raises(
        ValueError,
        match=r"`--distill_records` must match TFRecord files\. Received: "
        f"'.*{where.replace('*', '.')}', which matches none",
    ):
        RecordImages(f"{tmp_path}/{where}", _Model())


def test_refuses_files_without_a_record(tmp_path):
    path = _write(tmp_path / "a", [])
    with pytest.raises(ValueError, match="'.*/a' without a record"):
        RecordImages(path, _Model()).first(3)


@pytest.mark.parametrize(
    "examples",
    [
        [b"no example"],
        [_example(1, key="image/other")],
        [_example(1)[:-20]],
        [_example(1, size=(8, 8)), _example(2, size=(9, 8))],
    ],
    ids=["no example", "no image", "cut image", "two sizes"],
)
def test_refuses_what_is_no_batch_of_images(tmp_path, examples):
    path = _write(tmp_path / "a", examples)
    images = RecordImages(path, _Model(resizes=False))
    with pytest.raises(
        ValueError, match=r"must be TFRecords of images.*one size\. Received: '"
    ):
        images.first(3)


def test_refuses_a_file_that_is_no_tfrecord(tmp_path):
    (tmp_path / "a").write_bytes(b"plain text, long enough to be a header")
    with pytest.raises(ValueError, match="must be TFRecords of images"):
        RecordImages(str(tmp_path / "a"), _Model()).first(3)
