"""The base and the tuned detector of a comparison, read and refused."""

from __future__ import annotations

import dataclasses
import os
from typing import Any, Literal

import numpy as np
import tensorflow as tf

from object_detection_patch.checkpoints import extract
from object_detection_patch.hosts import Hosts
from object_detection_patch.od_api import (
    base_model,
    host_layers,
    pipeline_config,
)

CONFIG_FILE = "pipeline.config"
Role = Literal["base", "tuned"]


@dataclasses.dataclass(frozen=True)
class Source:
    """Where a detector is read from: checkpoint prefix and its config."""

    role: Role
    checkpoint: str
    config: str
    pipeline: Any


@dataclasses.dataclass(frozen=True)
class Detector:
    """A restored SSDMetaArch in inference mode, with its hosts."""

    source: Source
    model: Any
    hosts: Hosts

    def base_tensors(self) -> dict[str, np.ndarray]:
        """Stable name -> value now, heads left out."""
        return {k: v.numpy() for k, v in self.hosts.base_tensors().items()}


def find(role: Role, checkpoint: str, config: str | None) -> Source:
    """Finds a checkpoint and its config.

    Args:
      role: `base` or `tuned`; names the flags in messages.
      checkpoint: a directory (its newest checkpoint is taken) or a prefix.
      config: by default `pipeline.config` in the checkpoint's directory or
        in the one above.

    Raises:
      ValueError: for a missing or name-based checkpoint, one saved while a
        patch was trained, and a missing config or one with a patch.
    """
    try:
        path = extract.find_checkpoint(checkpoint)
        base_model.refuse_unreadable(path)
    except ValueError as error:
        raise ValueError(
            f"`--{role}_checkpoint` must be an ordinary checkpoint of the "
            f"OD API. {error}"
        ) from error
    config = config or _config_beside(role, path)
    if not tf.io.gfile.exists(config) or tf.io.gfile.isdir(config):
        raise ValueError(
            f"`--{role}_config` must name a {CONFIG_FILE} file. Received: "
            f"{config!r}, which is no file."
        )
    pipeline = pipeline_config.read_pipeline(config)
    base_model.refuse_other_architectures(pipeline.model)
    base_model.check_patch_held(
        path, config, patched=pipeline_config.patch_of(pipeline) is not None
    )
    return Source(role, path, config, pipeline)


def refuse_unlike(base: Source, tuned: Source) -> None:
    """Raises ValueError for two that no patch lies between.

    That is: detectors of two architectures, values that are NaN or infinite,
    and checkpoints that hold the same values.
    """
    _refuse_other_architecture(base, tuned)
    before, after = _stored(base), _stored(tuned)
    if before.keys() == after.keys() and all(
        np.array_equal(before[key], after[key]) for key in before
    ):
        raise ValueError(
            "`--tuned_checkpoint` must differ from `--base_checkpoint`, or "
            f"there is nothing to ship. Received: {tuned.checkpoint!r} with "
            f"all values of {base.checkpoint!r}."
        )


def read(source: Source, model_config: Any) -> Detector:
    """Builds and restores a detector; a base goes without its class head.

    Args:
      model_config: the DetectionModel to build; for a base the tuned one's,
        so that it has room for the tuned class head.

    Raises:
      ValueError: if the checkpoint lacks a variable or has another shape.
    """
    model = base_model.build_model(model_config, is_training=False)
    hosts = host_layers.find_ssd_hosts(model)
    kind = "detection" if source.role == "base" else "full"
    try:
        base_model.restore_base(
            model, hosts, source.checkpoint, checkpoint_type=kind
        )
    except base_model.BaseRestoreError as error:
        raise ValueError(
            f"`--{source.role}_checkpoint` must hold every variable of the "
            f"detector that {source.config} (`--{source.role}_config`) "
            f"describes. {error}"
        ) from error
    base_model.set_training(model, False)
    return Detector(source, model, hosts)


def _config_beside(role: Role, checkpoint: str) -> str:
    folder = os.path.dirname(os.path.abspath(checkpoint))
    tried = [
        os.path.join(place, CONFIG_FILE)
        for place in (folder, os.path.dirname(folder))
    ]
    for path in tried:
        if tf.io.gfile.exists(path):
            return path
    raise ValueError(
        f"A checkpoint needs its {CONFIG_FILE}, in its directory or the one "
        f"above; `--{role}_config` names another place. Received: "
        f"{checkpoint!r}, but there is neither {' nor '.join(tried)}."
    )


def _refuse_other_architecture(base: Source, tuned: Source) -> None:
    before, after = (
        pipeline_config.architecture_digests(source.pipeline)
        for source in (base, tuned)
    )
    different = sorted(
        name
        for name in before.keys() | after.keys()
        if before.get(name) != after.get(name)
    )
    if different:
        raise ValueError(
            "`--base_config` and `--tuned_config` must describe one detector; "
            "only classes and training may differ. Received: "
            f"{base.config} and {tuned.config} with another "
            f"{', '.join(different)} (model.ssd)."
        )


def _stored(source: Source) -> dict[str, np.ndarray]:
    """Checkpoint key -> value of each weight, without optimizer states."""
    reader = tf.train.load_checkpoint(source.checkpoint)
    weights = {
        key.partition("/.ATTRIBUTES")[0]: reader.get_tensor(key)
        for key in reader.get_variable_to_shape_map()
        if key.startswith("model/") and ".OPTIMIZER_SLOT" not in key
    }
    for key, value in sorted(weights.items()):
        numeric = np.issubdtype(value.dtype, np.floating)
        if numeric and not np.isfinite(value).all():
            raise ValueError(
                f"`--{source.role}_checkpoint` must hold finite numbers. "
                f"Received: {source.checkpoint!r} with NaN or Inf in {key}."
            )
    return weights
