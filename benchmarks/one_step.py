"""One training step of an SSD on random images, for what measures steps."""

from __future__ import annotations

import pathlib
import re
import time
from typing import Any

import numpy as np

from object_detection_patch import recipes
from object_detection_patch.od_api import base_model, compat, pipeline_config

ARCHITECTURES = {96: recipes.MINI_96, 320: recipes.NARROW_320}
_CLASSES = 8


def pipeline_of(patch: str, image_size: int, batch_size: int) -> Any:
    """A TrainEvalPipelineConfig for 8 classes.

    Args:
      patch: what stands in the braces of `[object_detection_patch.patch]`.
      image_size: 96 or 320 pixels.
    """
    text = recipes.pipeline_text(
        ARCHITECTURES[image_size],
        recipes.TaskData(_CLASSES, "unused", "unused", "unused"),
        preset=None,
        fine_tune_checkpoint=None,
        num_steps=1000,
        batch_size=batch_size,
    )
    text += f"[object_detection_patch.patch] {{ {patch} }}\n"
    return pipeline_config.parse_pipeline(text, "a benchmark")


def patched(pipeline: Any) -> Any:
    """The patched SSD of a pipeline config, for training, random weights."""
    from object_detection_patch.training import patched_model

    model = patched_model.patch_ssd(
        base_model.build_model(pipeline.model, is_training=True),
        pipeline_config.patch_of(pipeline),
    )
    model.patch.initialise()
    return model


def of_preset(preset: str, image_size: int, batch_size: int) -> TrainStep:
    """The training step of a preset's patch."""
    pipeline = pipeline_of(f"preset: {preset}", image_size, batch_size)
    return TrainStep(patched(pipeline), pipeline, image_size)


class TrainStep:
    """A model's optimizer and traced training step."""

    def __init__(self, model: Any, pipeline: Any, image_size: int) -> None:
        compat.enable()
        import tensorflow as tf
        from object_detection import model_lib_v2
        from object_detection.builders import optimizer_builder

        step = tf.Variable(0, dtype=tf.int64)
        optimizer, _ = optimizer_builder.build(
            pipeline.train_config.optimizer, global_step=step
        )
        features, labels = batch(image_size, pipeline.train_config.batch_size)

        @tf.function
        def train_step() -> tf.Tensor:
            return model_lib_v2.eager_train_step(
                model,
                dict(features),
                dict(labels),
                False,
                optimizer,
                0.001,
                global_step=step,
            )

        self._train_step = train_step

    def timed(self) -> float:
        """Seconds of one step."""
        started = time.perf_counter()
        float(self._train_step())
        return time.perf_counter() - started


def batch(image_size: int, batch_size: int) -> tuple[dict, dict]:
    """Random images with four boxes each, as the input pipeline pads them."""
    import tensorflow as tf
    from object_detection.core import standard_fields

    fields = standard_fields.InputDataFields
    random = np.random.default_rng(0)
    corners = random.uniform(0, 0.5, (batch_size, 4, 2))
    boxes = np.concatenate([corners, corners + 0.4], axis=-1)
    classes = random.integers(0, _CLASSES, (batch_size, 4))
    shape = (batch_size, image_size, image_size, 3)
    features = {
        fields.image: random.uniform(-1, 1, shape).astype(np.float32),
        fields.true_image_shape: np.tile(
            np.array(shape[1:], np.int32), (batch_size, 1)
        ),
    }
    labels = {
        fields.groundtruth_boxes: boxes.astype(np.float32),
        fields.groundtruth_classes: np.eye(_CLASSES, dtype=np.float32)[classes],
        fields.groundtruth_weights: np.ones((batch_size, 4), np.float32),
        fields.num_groundtruth_boxes: np.full(batch_size, 4, np.int32),
    }
    return tf.nest.map_structure(tf.constant, (features, labels))


def resident_bytes() -> int:
    """The most that this process ever held; Linux.

    Not getrusage: its maximum begins with the parent's size at the fork.
    """
    status = pathlib.Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    if found is None:
        raise OSError("/proc/self/status must have a line VmHWM (Linux).")
    return 1024 * int(found[1])
