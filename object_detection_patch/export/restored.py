"""A base as it comes: its model, its classes, how it wants its pixels."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from object_detection_patch.checkpoints import extract
from object_detection_patch.export.normalisation import (
    Normalisation,
    measured,
)
from object_detection_patch.hosts import Hosts
from object_detection_patch.od_api import base_model, host_layers, label_map
from object_detection_patch.tflite.model_metadata import detector_metadata


@dataclasses.dataclass(frozen=True)
class Base:
    """A restored base, its label map and how it wants its pixels.

    Args:
      pipeline: its TrainEvalPipelineConfig.
      model: its SSDMetaArch.
      items: (id, name, display name) of each class.
      map_path: a label map file of these items.
    """

    pipeline: Any
    model: Any
    hosts: Hosts
    items: list[tuple[int, str, str]]
    map_path: str
    normalisation: Normalisation

    def tensors(self) -> dict[str, np.ndarray]:
        """Stable name -> value of base and heads."""
        variables = self.hosts.base_tensors() | self.hosts.head_tensors()
        return {name: variable.numpy() for name, variable in variables.items()}

    def epsilons(self) -> dict[str, float]:
        """Name of a BatchNorm -> its epsilon."""
        norms = self.hosts.batch_norms
        return {host.name: host.layer.epsilon for host in norms}

    def metadata(self) -> bytes:
        """The TFLite Model Metadata of its models."""
        size = self.pipeline.model.ssd.image_resizer.fixed_shape_resizer
        return detector_metadata(
            name="SSD object detector",
            # Of no task in particular: patches keep it or bring their own.
            description="Detects the objects that labelmap.txt names.",
            image_size=(size.height, size.width),
            mean=self.normalisation.mean,
            std=self.normalisation.std,
        )


def restore(pipeline: Any, checkpoint_dir: str) -> Base:
    """Builds a base and restores all of it.

    Args:
      pipeline: of the base, without a patch.
      checkpoint_dir: directory or prefix of its checkpoint.

    Raises:
      ValueError: for a label map or checkpoint that does not fit.
    """
    items, map_path = label_map.common_label_map(pipeline)
    label_map.check_num_classes(items, pipeline.model.ssd.num_classes, map_path)
    checkpoint = extract.find_checkpoint(checkpoint_dir)
    model = base_model.build_model(pipeline.model, is_training=False)
    hosts = host_layers.find_ssd_hosts(model)
    base_model.restore_base(model, hosts, checkpoint, checkpoint_type="full")
    return Base(pipeline, model, hosts, items, map_path, measured(model))
