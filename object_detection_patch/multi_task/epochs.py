"""How many images a task has, and how often it sees them."""

from __future__ import annotations

import struct
from typing import Any

import tensorflow as tf

from object_detection_patch.multi_task.tasks import Task

_LENGTH = struct.Struct("<Q")
# Checksums of the length, before the data, and of the data, behind them.
_CHECKSUM_BYTES = 4


def count_images(task: Task) -> int:
    """Records that the task trains on; only their lengths are read."""
    reader = task.pipeline.train_input_reader
    patterns = reader.tf_record_input_reader.input_path
    return sum(
        _count(path)
        for pattern in patterns
        for path in tf.io.gfile.glob(pattern)
    )


def describe(task: Task, steps: int) -> str:
    """One line for people about a task's images."""
    images = count_images(task)
    batch = task.train_config.batch_size
    return (
        f"{task.name}: {images:,} images in batches of {batch}, "
        f"{steps * batch / images:.1f} epochs in {steps:,} steps"
    )


def _count(path: str) -> int:
    with tf.io.gfile.GFile(path, "rb") as file:
        size, at, count = file.size(), 0, 0
        while at < size:
            at += _record_bytes(file)
            file.seek(at)
            count += 1
    return count


def _record_bytes(file: Any) -> int:
    (length,) = _LENGTH.unpack(file.read(_LENGTH.size))
    return _LENGTH.size + _CHECKSUM_BYTES + length + _CHECKSUM_BYTES
