"""Writes a task's pipeline.config from its base's, or a base's from scratch."""

from __future__ import annotations

import dataclasses
import math
import os
from typing import Any

from object_detection_patch import recipes
from object_detection_patch.checkpoints import extract
from object_detection_patch.methods import presets
from object_detection_patch.od_api import (
    base_model,
    checks,
    input_size,
    label_map,
    pipeline_config,
)


@dataclasses.dataclass(frozen=True)
class Training:
    """What is trained on, and for how long.

    `train_records` and `eval_records` are TFRecord files or patterns;
    `learning_rate` is Adam's peak rate, None for the method's usual one;
    `flip` and `crop` allow the augmentations of these kinds.

    Raises:
      ValueError: for numbers that no training can have.
    """

    train_records: str
    eval_records: str
    label_map_path: str
    num_steps: int
    batch_size: int
    learning_rate: float | None = None
    flip: bool = True
    crop: bool = True

    def __post_init__(self) -> None:
        for name in ("num_steps", "batch_size", "learning_rate"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise ValueError(
                    f"`--{name}` must be above 0 and finite. Received: {value}."
                )

    def keeps(self, augmentation: str) -> bool:
        """Whether an option of the OD API's preprocessor stays."""
        flips, crops = "flip" in augmentation, "crop" in augmentation
        return (self.flip or not flips) and (self.crop or not crops)


def base_text(
    architecture: str,
    training: Training,
    *,
    image_size: tuple[int, int] | None = None,
) -> str:
    """A stock config that trains a base model from scratch.

    Args:
      image_size: (height, width) in pixels; by default the architecture's.

    Raises:
      ValueError: for a size that the architecture cannot take.
    """
    text = recipes.pipeline_text(
        recipes.ARCHITECTURES[architecture],
        _task_data(training),
        preset=None,
        fine_tune_checkpoint=None,
        num_steps=training.num_steps,
        batch_size=training.batch_size,
        rate=training.learning_rate,
    )
    if image_size is None:
        return text
    return _sized_text(
        pipeline_config.parse_pipeline(text, "the template"), image_size
    )


def patch_text(
    base_config: str,
    base_checkpoint: str,
    preset: str,
    training: Training,
    *,
    patch_options: str = "",
    image_size: tuple[int, int] | None = None,
) -> str:
    """The base's config turned into a task's, with a patch to learn.

    The model stays the base's but for its number of classes and, if asked
    for, its input size; the optimizer becomes ours, because masks want larger
    steps than kernels.

    Args:
      base_config: pipeline.config of the base; a patch in it is left out.
      base_checkpoint: its checkpoint, a directory or a prefix.
      patch_options: text proto of further fields of the patch.
      image_size: (height, width) in pixels; by default the base's.

    Raises:
      ValueError: for an unknown preset, a base that is no SSD or has no
        checkpoint, or a size that the base cannot take.
    """
    presets.patch_config(preset)
    base = pipeline_config.without_patch(
        pipeline_config.read_pipeline(base_config)
    )
    base_model.refuse_other_architectures(base.model)
    pipeline = _template(preset, base_checkpoint, training, patch_options)
    pipeline.model.CopyFrom(base.model)
    pipeline.model.ssd.num_classes = _num_classes(training)
    options = pipeline.train_config.data_augmentation_options
    del options[:]
    options.extend(
        option
        for option in base.train_config.data_augmentation_options
        if training.keeps(option.WhichOneof("preprocessing_step"))
    )
    return _sized_text(pipeline, image_size)


def write_config(path: str, text: str) -> None:
    """Writes a config whose data is there and fits, or nothing.

    Raises:
      ValueError: for records or a label map that could not train.
      FileExistsError: if the file exists; it may hold somebody's work.
    """
    if os.path.exists(path):
        raise FileExistsError(
            f"`--output` must be a new file. Received: {path!r}, which exists."
        )
    pipeline = pipeline_config.parse_pipeline(text, path)
    for training in (True, False):
        checks.check_readers(pipeline, training=training)
    beside = f"{path}.partial"
    with open(beside, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(beside, path)


def _sized_text(pipeline: Any, image_size: tuple[int, int] | None) -> str:
    from google.protobuf import text_format

    if image_size is not None:
        input_size.fixed_size(pipeline, "--image_size")
        pipeline = input_size.with_size(pipeline, image_size)
        input_size.refuse_uneven(pipeline.model, "--image_size")
    return text_format.MessageToString(pipeline)


def _template(
    preset: str, base_checkpoint: str, training: Training, patch_options: str
) -> Any:
    """A config of any architecture whose training is the task's."""
    text = recipes.pipeline_text(
        recipes.NARROW_320,
        _task_data(training),
        preset=preset,
        fine_tune_checkpoint=extract.find_checkpoint(base_checkpoint),
        num_steps=training.num_steps,
        batch_size=training.batch_size,
        rate=training.learning_rate,
        patch_options=patch_options,
    )
    return pipeline_config.parse_pipeline(text, "the template")


def _task_data(training: Training) -> recipes.TaskData:
    return recipes.TaskData(
        num_classes=_num_classes(training),
        train_records=training.train_records,
        eval_records=training.eval_records,
        label_map=training.label_map_path,
        flip=training.flip,
        crop=training.crop,
    )


def _num_classes(training: Training) -> int:
    items = label_map.read_label_map(training.label_map_path)
    return label_map.num_classes_of(items)
