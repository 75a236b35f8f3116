"""A directory with an ordinary OD API model: checkpoint, config, label map."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from object_detection_patch.od_api import label_map
from object_detection_patch.patch_file import whole_file

LABEL_MAP_FILE = "label_map.pbtxt"
_CHECKPOINT = "ckpt"


def point_at(pipeline: Any, directory: str) -> None:
    """Sets label map and checkpoint of a config to those of `directory`."""
    path = os.path.join(directory, LABEL_MAP_FILE)
    for reader in [pipeline.train_input_reader, *pipeline.eval_input_reader]:
        reader.label_map_path = path
    train = pipeline.train_config
    train.fine_tune_checkpoint = os.path.join(directory, f"{_CHECKPOINT}-0")
    train.fine_tune_checkpoint_type = "detection"
    train.fine_tune_checkpoint_version = (
        train.DESCRIPTOR.fields_by_name["fine_tune_checkpoint_version"]
        .enum_type.values_by_name["V2"]
        .number
    )


def write_model(
    folder: str,
    model: Any,
    pipeline: Any,
    label_items: Iterable[tuple[int, str, str]],
) -> None:
    """Writes checkpoint, pipeline.config and label map of a model."""
    from google.protobuf import text_format

    checkpoint = tf.train.Checkpoint(
        model=model, step=tf.Variable(0, dtype=tf.int64, trainable=False)
    )
    manager = tf.train.CheckpointManager(
        checkpoint, folder, max_to_keep=1, checkpoint_name=_CHECKPOINT
    )
    manager.save(checkpoint_number=0)
    whole_file.write_whole(
        os.path.join(folder, "pipeline.config"),
        text_format.MessageToString(pipeline).encode(),
    )
    whole_file.write_whole(
        os.path.join(folder, LABEL_MAP_FILE),
        label_map.label_map_text(label_items).encode(),
    )
