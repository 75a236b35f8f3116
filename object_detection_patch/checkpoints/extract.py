"""Training checkpoint -> patch: keeps what ships, leaves what only trains."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

import tensorflow as tf

from object_detection_patch.od_api import label_map, pipeline_config
from object_detection_patch.patch_file import COMPACT, Patch, to_bytes
from object_detection_patch.training import patched_model, shipped


@dataclasses.dataclass(frozen=True)
class TrainedPatch:
    """A patch and the model that it was read from."""

    patch: Patch
    model: Any
    checkpoint_path: str


def extract(pipeline_config_path: str, checkpoint: str) -> TrainedPatch:
    """Reads the patch out of a training checkpoint.

    Args:
      pipeline_config_path: the config of the training.
      checkpoint: a model directory (its newest checkpoint is taken) or the
        prefix of one checkpoint.

    Raises:
      OtherPatchError: for a checkpoint of a patch with other parts.
      ValueError: for a config without a patch, a missing checkpoint, one
        that lacks any variable of the patched model, one from before its
        grid or target, or a label map that disagrees with the config.
    """
    pipeline = pipeline_config.read_pipeline(pipeline_config_path)
    config = pipeline_config.require_patch(pipeline, pipeline_config_path)
    items, map_path = label_map.common_label_map(pipeline)
    label_map.check_num_classes(items, pipeline.model.ssd.num_classes, map_path)
    path = find_checkpoint(checkpoint)
    model = patched_model.build_patched(pipeline.model, config)
    step = restore_all(model, path)
    _refuse_untrained(step, path)
    model.patch.refuse_other_parts(path)
    _refuse_before_grid(model.patch, path)
    patch = shipped.shipped_patch(model, pipeline, step=step)
    _refuse_above_target(model.patch, patch, path)
    return TrainedPatch(patch, model, path)


def find_checkpoint(checkpoint: str) -> str:
    """The prefix itself, or the newest checkpoint of a directory.

    Raises:
      ValueError: if there is none.
    """
    path = checkpoint
    if tf.io.gfile.isdir(checkpoint):
        path = tf.train.latest_checkpoint(checkpoint) or ""
    if not path or not tf.io.gfile.exists(f"{path}.index"):
        raise ValueError(
            "A checkpoint must be a directory that training wrote, or a "
            f"prefix such as DIR/ckpt-3. Received: {checkpoint!r}, which "
            "holds no checkpoint."
        )
    return path


def restore_all(model: Any, path: str) -> int:
    """Restores every variable of a built model; returns the step.

    Raises:
      ValueError: if the checkpoint lacks any of them or has other shapes.
    """
    step = tf.Variable(0, dtype=tf.int64, trainable=False)
    checkpoint = tf.train.Checkpoint(model=model, step=step)
    try:
        status = checkpoint.restore(path)
        status.assert_existing_objects_matched()
        status.expect_partial()
    except (tf.errors.OpError, IndexError) as error:
        raise ValueError(
            "A training checkpoint must be whole, as training wrote it. "
            f"Received: {path!r}: {str(error).splitlines()[0]}"
        ) from error
    except (AssertionError, ValueError) as error:
        raise ValueError(
            "A training checkpoint must hold every variable of the model that "
            "pipeline.config describes, patch included. Received: "
            f"{path!r}: {str(error).splitlines()[0]}"
        ) from error
    return int(step.numpy())


def report(trained: TrainedPatch, output: str) -> str:
    """One paragraph for people about a patch file just written."""
    metadata = trained.patch.metadata
    steps = metadata["training"]["steps"]
    planned = metadata["training"]["planned_steps"]
    gates = trained.model.patch.gates()
    lines = [
        f"{output}: {os.path.getsize(output):,} bytes{_target(trained)}, "
        f"{trained.patch.method} for {len(trained.patch.label_map)} classes, "
        f"from {trained.checkpoint_path} (step {steps:,}).",
        f"Base {trained.patch.base_fingerprint[:12]}; nominal footprint "
        f"{metadata['nominal_bits'] / 32 / metadata['base_parameters']:.2%} "
        "of its counted parameters.",
    ]
    if gates:
        opened = sum(gate.is_open for gate in gates)
        lines.append(f"{opened} of {len(gates)} gates are open.")
    if steps < planned:
        lines.append(
            f"Note: the config plans {planned:,} steps; this checkpoint is "
            f"of step {steps:,} (--checkpoint_every_n sets which are kept)."
        )
    return "\n".join(lines)


def _target(trained: TrainedPatch) -> str:
    target = trained.model.patch.target_file_bytes
    return "" if target is None else f" of at most {target:,}"


def _refuse_before_grid(method: Any, path: str) -> None:
    """What ships would not be what was trained."""
    if method.grid_begun is not None and not method.grid_begun.numpy():
        raise ValueError(
            "A patch with `grid.begin_step` is extracted after that step. "
            f"Received: {path!r}, saved before; train on, or begin earlier "
            "(pipeline.config, [object_detection_patch.patch])."
        )


def _refuse_above_target(method: Any, patch: Patch, path: str) -> None:
    """Gates may have been open that no longer are at the end."""
    target = method.target_file_bytes
    if target is None:
        return
    size = len(to_bytes(patch, encoding=COMPACT))
    if size > target:
        raise ValueError(
            "A patch with `target_file_bytes` is extracted after "
            "`target_step`, by default three quarters of `num_steps`, when its "
            f"file has come down to {target:,} bytes. Received: {path!r}, "
            f"which gives {size:,}; train on, with the labels of this config "
            "(pipeline.config, [object_detection_patch.patch])."
        )


def _refuse_untrained(step: int, path: str) -> None:
    if step == 0:
        raise ValueError(
            "A patch is extracted from a trained checkpoint. Received: "
            f"{path!r}, saved before the first step; train longer than "
            "--checkpoint_every_n steps."
        )
