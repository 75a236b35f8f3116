"""A directory with an ordinary OD API model: checkpoint, config, label map."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from typing import Any

import tensorflow as tf

from object_detection_patch.od_api import label_map
from object_detection_patch.patch_file import whole_file

LABEL_MAP_FILE = "label_map.pbtxt"
_CHECKPOINT = "ckpt"


def refuse_filled(output_dir: str) -> None:
    """Raises ValueError unless the directory is new or empty.

    Also for one that `whole_directory` could not put in place.
    """
    if os.path.exists(output_dir) and (
        not os.path.isdir(output_dir) or os.listdir(output_dir)
    ):
        raise ValueError(
            "`--output_dir` must be new or empty, so that no older model is "
            f"mixed in. Received: {output_dir!r}."
        )
    if os.path.ismount(output_dir):
        raise ValueError(
            "`--output_dir` is put in place by renaming, so it must not be a "
            "mount point; a new folder in it will do. Received: "
            f"{output_dir!r}."
        )
    parent = _existing(os.path.dirname(os.path.realpath(output_dir)))
    if not os.path.isdir(parent) or not os.access(parent, os.W_OK):
        raise ValueError(
            "The folder of `--output_dir` must be writable. Received: "
            f"{output_dir!r}."
        )


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


@contextlib.contextmanager
def whole_directory(output_dir: str) -> Iterator[str]:
    """A folder to write into, which becomes `output_dir` when all is done.

    It lies beside the target and is renamed once all of it is on the disk, so
    no half result is found, after a power cut neither. Whatever is raised
    within, it is removed.
    """
    # Of a link to a folder, the folder: a link itself cannot be replaced.
    target = os.path.realpath(output_dir)
    parent = os.path.dirname(target)
    os.makedirs(parent, exist_ok=True)
    beside = tempfile.mkdtemp(prefix=".od-patch-", dir=parent)
    try:
        yield beside
        os.chmod(beside, 0o755)
        _sync(beside)
        if os.path.isdir(target):
            os.rmdir(target)
        os.rename(beside, target)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    whole_file.sync_folder(parent)


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


def _sync(folder: str) -> None:
    """Brings all files in a folder, and their names, to the disk."""
    for path, _, names in os.walk(folder):
        for name in names:
            # For writing, which some systems ask of a file to be synced.
            with open(os.path.join(path, name), "rb+") as file:
                os.fsync(file.fileno())
        whole_file.sync_folder(path)


def _existing(path: str) -> str:
    """The path, or the nearest folder above it that exists."""
    while not os.path.exists(path):
        path = os.path.dirname(path)
    return path
