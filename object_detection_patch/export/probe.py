"""Models of the base's architecture with weights that give it away.

Where a tensor of the base lies in a converted model is found by value. A
trained base may hold values that cannot be told apart (dead channels, two
BatchNorms alike), so the search is done in a model of random values: the
converter builds the same graph for both.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from object_detection_patch.export.graph import Graph
from object_detection_patch.hosts import Hosts
from object_detection_patch.od_api import (
    base_model,
    export_tflite,
    host_layers,
)

_CALIBRATION_IMAGES = 2


class Probe:
    """A converted model of random values, and those values by stable name.

    Args:
      pipeline: config of the base.
      classes: number of classes, unlike the base's or the same.
      precision: float32, float16 or int8.
      max_detections, regular_nms: of the post-processing op.
    """

    def __init__(
        self,
        pipeline: Any,
        *,
        classes: int,
        precision: str,
        max_detections: int,
        regular_nms: bool = False,
        seed: int,
    ) -> None:
        config = type(pipeline)()
        config.CopyFrom(pipeline)
        config.model.ssd.num_classes = classes
        model = base_model.build_model(config.model, is_training=False)
        self.classes = classes
        self.hosts = host_layers.find_ssd_hosts(model)
        self.values = _randomised(self.hosts, np.random.default_rng(seed))
        with tempfile.TemporaryDirectory() as folder:
            _save(model, folder)
            saved_model = export_tflite.export_saved_model(
                config,
                folder,
                os.path.join(folder, "export"),
                max_detections=max_detections,
                regular_nms=regular_nms,
            )
            size = config.model.ssd.image_resizer.fixed_shape_resizer
            self.graph = Graph(
                export_tflite.convert(
                    saved_model,
                    precision,
                    lambda: _noise(size.height, size.width),
                )
            )


def _randomised(
    hosts: Hosts, random: np.random.Generator
) -> dict[str, np.ndarray]:
    """Draws every tensor; the ranges keep activations finite."""
    tensors = hosts.base_tensors() | hosts.head_tensors()
    values = {}
    for name, variable in tensors.items():
        shape = tuple(variable.shape)
        if name.endswith(("/gamma", "/moving_variance")):
            drawn = random.uniform(0.5, 2.0, shape)
        elif name.endswith("kernel"):
            fan_in = max(1, int(np.prod(shape[:3])))
            if name.endswith("/depthwise_kernel"):
                fan_in = shape[0] * shape[1]
            drawn = random.normal(0, fan_in**-0.5, shape)
        else:
            drawn = random.uniform(0.1, 0.5, shape)
        values[name] = drawn.astype(np.float32)
        variable.assign(values[name])
    return values


def _noise(height: int, width: int) -> Iterator[np.ndarray]:
    random = np.random.default_rng(0)
    for _ in range(_CALIBRATION_IMAGES):
        image = random.uniform(-1, 1, (1, height, width, 3))
        yield image.astype(np.float32)


def _save(model: Any, folder: str) -> None:
    checkpoint = tf.train.Checkpoint(model=model)
    tf.train.CheckpointManager(
        checkpoint, folder, max_to_keep=1, checkpoint_name="ckpt"
    ).save(checkpoint_number=0)
