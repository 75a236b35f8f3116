"""Refuses a pipeline config that could not train, before anything is built."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from object_detection_patch.od_api import base_model, label_map


def check_pipeline(pipeline: Any, *, training: bool) -> None:
    """Checks what a patched training or evaluation reads.

    Raises:
      ValueError: with the rule, the value and the place in pipeline.config.
    """
    base_model.refuse_other_architectures(pipeline.model)
    readers = list(pipeline.eval_input_reader)
    if training:
        readers = [pipeline.train_input_reader]
        _check_base(pipeline.train_config)
    for reader in readers:
        path = reader.label_map_path
        label_map.check_num_classes(
            label_map.read_label_map(path), pipeline.model.ssd.num_classes, path
        )
        _check_records(reader.tf_record_input_reader.input_path)


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


def _check_records(patterns: Iterable[str]) -> None:
    for pattern in patterns:
        if not tf.io.gfile.glob(pattern):
            raise ValueError(
                "`tf_record_input_reader.input_path` must match at least one "
                f"file (pipeline.config). Received: {pattern!r}."
            )
    if not list(patterns):
        raise ValueError(
            "`tf_record_input_reader.input_path` must be set "
            "(pipeline.config). Received: none."
        )
