"""Refuses a pipeline config that could not train, before anything is built."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import tensorflow as tf
from google.protobuf import message

from object_detection_patch.od_api import (
    base_model,
    input_size,
    label_map,
    pipeline_config,
)

# Enough to meet every class of a small data set, and read within a second.
_SAMPLED_RECORDS = 1000
_CLASS_TEXT = "image/object/class/text"


def check_pipeline(pipeline: Any, *, training: bool) -> None:
    """Checks what a patched training or evaluation reads.

    Raises:
      ValueError: with the rule, the value and the place in pipeline.config.
    """
    base_model.refuse_other_architectures(pipeline.model)
    input_size.refuse_uneven(pipeline.model)
    if training:
        _check_base(pipeline.train_config)
        _refuse_variable_filters(pipeline.train_config)
        _check_steps(pipeline)
    check_readers(pipeline, training=training)


def _check_steps(pipeline: Any) -> None:
    patch = pipeline_config.patch_of(pipeline)
    if patch is None:
        return
    steps = pipeline.train_config.num_steps
    for option, step in (
        ("grid.begin_step", patch.grid.begin_step),
        ("target_step", patch.target_step),
        ("target_begin_step", patch.target_begin_step),
    ):
        if steps and step >= steps:
            raise ValueError(
                f"`{option}` must be below `train_config.num_steps`, "
                f"{steps}. Received: {step} (pipeline.config, "
                "[object_detection_patch.patch])."
            )


def check_readers(pipeline: Any, *, training: bool) -> None:
    """Checks records and label map of the training's or evaluation's readers.

    Raises:
      ValueError: with the rule, the value and the place in pipeline.config.
    """
    items, _ = label_map.common_label_map(pipeline)
    readers = list(pipeline.eval_input_reader)
    if training:
        readers = [pipeline.train_input_reader]
    for reader in readers:
        path = reader.label_map_path
        label_map.refuse_missing(path)
        label_map.check_num_classes(items, pipeline.model.ssd.num_classes, path)
        check_records(
            reader.tf_record_input_reader.input_path,
            items,
            option="`tf_record_input_reader.input_path` (pipeline.config)",
            labels=f"{path} (label_map_path, pipeline.config)",
        )


def check_records(
    patterns: Iterable[str],
    items: Sequence[tuple[int, str, str]],
    *,
    option: str,
    labels: str,
) -> list[str]:
    """The files of records that can be read, and have no unknown class.

    Args:
      patterns: of files.
      items: number, name and display name of each class.
      option: what gave the patterns, for messages.
      labels: where the classes are from, for messages.

    Raises:
      ValueError: for a pattern that matches nothing, files that are no
        TFRecords, and a class that is not among `items`, in the first
        records.
    """
    files = _record_files(patterns, option)
    _check_class_names(files, items, option, labels)
    return files


def check_checkpointing(num_steps: int, checkpoint_every_n: int) -> None:
    """Raises ValueError if the loop would keep no trained checkpoint.

    It saves every `checkpoint_every_n` steps and not at the end.
    """
    if num_steps < checkpoint_every_n:
        raise ValueError(
            "`--checkpoint_every_n` must be at most the number of steps, or "
            f"no trained checkpoint is kept. Received: {checkpoint_every_n} "
            f"for {num_steps} steps (--num_train_steps, or "
            "train_config.num_steps in pipeline.config)."
        )


def _check_base(train_config: Any) -> None:
    if not train_config.fine_tune_checkpoint:
        raise ValueError(
            "A patch needs a base: set `train_config.fine_tune_checkpoint` to "
            "the prefix of the base's checkpoint (pipeline.config). Received: "
            "none."
        )
    base_model.refuse_unreadable(train_config.fine_tune_checkpoint)
    base_model.check_type(train_config.fine_tune_checkpoint_type)
    version = train_config.DESCRIPTOR.fields_by_name[
        "fine_tune_checkpoint_version"
    ].enum_type.values_by_number[train_config.fine_tune_checkpoint_version]
    if version.name != "V2":
        raise ValueError(
            "`train_config.fine_tune_checkpoint_version` must be V2 "
            f"(pipeline.config). Received: {version.name}."
        )


def _refuse_variable_filters(train_config: Any) -> None:
    for field in ("freeze_variables", "update_trainable_variables"):
        if getattr(train_config, field):
            raise ValueError(
                "The parts of a patch decide what trains, and the OD API's "
                f"loop does not read `train_config.{field}`: leave it out "
                "(pipeline.config). Received: "
                f"{list(getattr(train_config, field))}."
            )


def _record_files(patterns: Iterable[str], option: str) -> list[str]:
    files = []
    for pattern in patterns:
        matched = tf.io.gfile.glob(pattern)
        if not matched:
            raise ValueError(
                f"{option} must match at least one file. Received: {pattern!r}."
            )
        files += sorted(matched)
    if not files:
        raise ValueError(f"{option} must be set. Received: none.")
    return files


def _first_records(files: Sequence[str], option: str) -> Iterator[bytes]:
    # tf.data would start TensorFlow's runtime, and a strategy of several
    # workers must be made before that. Unwrapped, the deprecated reader does
    # not advise users to take tf.data.
    read = inspect.unwrap(tf.compat.v1.io.tf_record_iterator)
    records = itertools.chain.from_iterable(map(read, files))
    try:
        yield from itertools.islice(records, _SAMPLED_RECORDS)
    except tf.errors.DataLossError as error:
        raise ValueError(
            f"{option} must be TFRecord files. Received: {files[0]!r}, ...: "
            f"{error.message}."
        ) from error


def _check_class_names(
    files: Sequence[str],
    items: Sequence[tuple[int, str, str]],
    option: str,
    labels: str,
) -> None:
    """Refuses a class that the label map lacks, in the first records.

    The OD API's decoder makes background of it without a word.
    """
    known = {name for item in items for name in item[1:]}
    for number, record in enumerate(_first_records(files, option)):
        try:
            example = tf.train.Example.FromString(record)
        except message.DecodeError as error:
            raise ValueError(
                "Records must be tf.train.Example messages. Received: record "
                f"{number} of {files[0]!r}, ..., which is none ({error})."
            ) from error
        names = example.features.feature[_CLASS_TEXT].bytes_list.value
        unknown = {name.decode("utf-8", "replace") for name in names} - known
        if unknown:
            raise ValueError(
                "Every class of the records must stand in the label map, or "
                "the OD API takes it for background. Received: "
                f"{sorted(unknown)} in record {number} of {files[0]!r}, ..., "
                f"but not in {labels}."
            )
