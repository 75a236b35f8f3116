"""What a device learned -> patch."""

from __future__ import annotations

from typing import Any

import numpy as np

from object_detection_patch.od_api import label_map, pipeline_config
from object_detection_patch.on_device import names, training_model
from object_detection_patch.on_device.weights import read_weights
from object_detection_patch.patch_file import FingerprintError, Patch
from object_detection_patch.training import shipped, trainable


def extract_trained(pipeline_config_path: str, weights: str) -> Patch:
    """The patch of a task that a device trained.

    Args:
      pipeline_config_path: the config that was exported.
      weights: .npz file with what the signature `parameters` gave.

    Raises:
      FingerprintError: if the base is not the one that was exported.
      ValueError: for a file that lacks a tensor, has one too many, or one
        with another shape or values that are not finite; or one without any
        training.
    """
    pipeline = pipeline_config.read_pipeline(pipeline_config_path)
    training_model.require_mobile_tl(pipeline, pipeline_config_path)
    items, map_path = label_map.common_label_map(pipeline)
    label_map.check_num_classes(items, pipeline.model.ssd.num_classes, map_path)
    arrays = read_weights(weights)
    steps = int(arrays[names.STEPS])
    if steps < 1:
        raise ValueError(
            "Only what was trained becomes a patch. Received: "
            f"{weights!r} after {steps} steps."
        )
    model = training_model.restored(pipeline, pipeline_config_path)
    _refuse_other_base(model, arrays, weights)
    assign(model, arrays, weights)
    return shipped.shipped_patch(model, pipeline, step=steps)


def assign(model: Any, arrays: dict[str, np.ndarray], source: str) -> None:
    """Gives a patched model what a device learned; all of it or nothing."""
    hosts = model.patch.hosts
    tensors = hosts.base_tensors() | hosts.head_tensors()
    changed = names.signature_names(trainable.moving_names(model, hosts))
    given = arrays.keys() - {names.FINGERPRINT, names.STEPS}
    if given != set(changed.values()):
        missing = sorted(set(changed.values()) - given)
        added = sorted(given - set(changed.values()))
        raise ValueError(
            "Weights of a device must be those of the tensors that "
            f"pipeline.config trains. Received: {source!r}, which lacks "
            f"{len(missing)} ({', '.join(missing[:3]) or 'none'}) and has "
            f"{len(added)} others ({', '.join(added[:3]) or 'none'})."
        )
    for stable, name in changed.items():
        _check(arrays[name], tensors[stable], name, source)
    for stable, name in changed.items():
        tensors[stable].assign(arrays[name])


def _check(value: np.ndarray, variable: Any, name: str, source: str) -> None:
    shape = tuple(variable.shape.as_list())
    if value.shape != shape or value.dtype != np.float32:
        raise ValueError(
            f"{name} must be float32 of shape {shape}. Received: {value.dtype} "
            f"of shape {value.shape} in {source!r}."
        )
    if not np.isfinite(value).all():
        raise ValueError(
            f"{name} must be finite. Received: {source!r}, of a training that "
            "diverged; use a lower learning rate."
        )


def _refuse_other_base(
    model: Any, arrays: dict[str, np.ndarray], source: str
) -> None:
    trained_on = arrays[names.FINGERPRINT].astype(np.uint8).tobytes().hex()
    if trained_on != model.patch.base_fingerprint:
        raise FingerprintError(
            "A patch is made on the base that the device trained on. "
            f"Received: base {model.patch.base_fingerprint} "
            "(train_config.fine_tune_checkpoint), but "
            f"{source!r} is of base {trained_on}."
        )
