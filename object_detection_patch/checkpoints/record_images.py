"""The images of TFRecords, resized as a detector wants them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import tensorflow as tf

# Records from which the next one is drawn, and the order's seed.
_SHUFFLED = 1024
_SEED = 1

Batch = tuple[tf.Tensor, tf.Tensor]


class RecordImages:
    """Reads `image/encoded` of every record and nothing else.

    A batch is (images, shapes): float32 [batch, height, width, 3] and int32
    [batch, 3], as `model.preprocess` gives them.

    Args:
      records: TFRecord file or pattern.
      model: SSDMetaArch whose resizer and normalisation are used.

    Raises:
      ValueError: if no file matches; while reading, for records without
        images and for images that do not come to one size.
    """

    def __init__(self, records: str, model: Any) -> None:
        self._records = records
        self._model = model
        self._files = sorted(tf.io.gfile.glob(records))
        if not self._files:
            raise ValueError(
                "`--distill_records` must match TFRecord files. Received: "
                f"{records!r}, which matches none."
            )

    def first(self, count: int) -> Batch:
        """The first images of the files as one batch, fewer if need be."""
        for batch in self._read(self._examples().take(count), count):
            return batch
        raise ValueError(
            "`--distill_records` must hold images. Received: "
            f"{self._records!r} without a record."
        )

    def batches(self, size: int, count: int) -> Iterator[Batch]:
        """`count` batches of `size` images, in an order that is repeatable."""
        shuffled = self._examples().shuffle(_SHUFFLED, seed=_SEED).repeat()
        return self._read(shuffled.take(size * count), size)

    def _examples(self) -> Any:
        return tf.data.TFRecordDataset(self._files)

    def _read(self, examples: Any, size: int) -> Iterator[Batch]:
        try:
            yield from examples.map(self._decode).batch(size)
        except (tf.errors.OpError, UnicodeDecodeError) as error:
            # The latter where TensorFlow quotes bytes that it cannot parse.
            raise ValueError(
                "`--distill_records` must be TFRecords of images "
                "(`image/encoded`) that the model's image_resizer brings to "
                f"one size. Received: {self._records!r}: {_first_line(error)}"
            ) from error

    def _decode(self, example: tf.Tensor) -> Batch:
        features = {"image/encoded": tf.io.FixedLenFeature([], tf.string)}
        encoded = tf.io.parse_single_example(example, features)
        image = tf.io.decode_image(
            encoded["image/encoded"], channels=3, expand_animations=False
        )
        image.set_shape([None, None, 3])
        resized, shapes = self._model.preprocess(
            tf.cast(image, tf.float32)[None]
        )
        return resized[0], shapes[0]


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
