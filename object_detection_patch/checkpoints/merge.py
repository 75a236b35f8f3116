"""Base checkpoint + patch -> an ordinary OD API checkpoint and config."""

from __future__ import annotations

from typing import Any

from object_detection_patch import hosts as hosts_lib
from object_detection_patch.checkpoints import extract, ordinary
from object_detection_patch.hosts import Hosts
from object_detection_patch.od_api import (
    base_model,
    host_layers,
    input_size,
    pipeline_config,
)
from object_detection_patch.patch_file import (
    FingerprintError,
    Patch,
    PatchFileError,
    apply_edits,
    trained_size,
    whole_folder,
)

LABEL_MAP_FILE = ordinary.LABEL_MAP_FILE
RECORDS_TO_SET = "PATH_TO_RECORDS_OF_THIS_TASK"


def merge(
    *,
    base_config: str,
    base_checkpoint: str,
    patch: Patch,
    output_dir: str,
) -> Any:
    """Writes checkpoint, pipeline.config and label map of the patched model.

    The result holds no patch layer: every tool of the OD API takes it.

    Args:
      base_config: pipeline.config of the base model.
      base_checkpoint: directory or prefix of the base's checkpoint.
      patch: as `read_patch` returns it.
      output_dir: created; refused if it holds anything.

    Returns:
      The merged SSDMetaArch, in inference mode.

    Raises:
      FingerprintError: if the patch was trained on another base.
      ValueError: for a config, checkpoint or patch that does not fit.
    """
    whole_folder.refuse_filled(output_dir)
    pipeline = task_pipeline(base_config, patch, output_dir)
    model = merged_model(
        pipeline, extract.find_checkpoint(base_checkpoint), patch
    )
    items = [
        (item.id, item.name, item.display_name) for item in patch.label_map
    ]
    with whole_folder.whole_directory(output_dir) as folder:
        ordinary.write_model(folder, model, pipeline, items)
    return model


def task_pipeline(base_config: str, patch: Patch, output_dir: str) -> Any:
    """The base's config with the task's classes and label map, unpatched.

    Its input size is the one that the patch was trained at.

    Raises:
      ValueError: if it describes another detector than the training's.
    """
    pipeline = pipeline_config.without_patch(
        pipeline_config.read_pipeline(base_config)
    )
    base_model.refuse_other_architectures(pipeline.model)
    pipeline = _at_size_of(patch, pipeline)
    _refuse_other_architecture(pipeline, patch, base_config)
    pipeline.model.ssd.num_classes = max(item.id for item in patch.label_map)
    ordinary.point_at(pipeline, output_dir)
    for reader in [pipeline.train_input_reader, *pipeline.eval_input_reader]:
        # The base's records hold other classes than this label map.
        reader.tf_record_input_reader.input_path[:] = [RECORDS_TO_SET]
    return pipeline


def _at_size_of(patch: Patch, pipeline: Any) -> Any:
    size = trained_size(patch.metadata)
    resizer = pipeline.model.ssd.image_resizer
    if size is None or not resizer.HasField("fixed_shape_resizer"):
        return pipeline
    return input_size.with_size(pipeline, size)


def _refuse_other_architecture(
    pipeline: Any, patch: Patch, base_config: str
) -> None:
    trained = patch.metadata.get("architecture", {})
    given = pipeline_config.architecture_digests(pipeline)
    different = sorted(
        name
        for name in set(trained) | set(given)
        if trained.get(name) != given.get(name)
    )
    if trained and different:
        raise ValueError(
            "The base's config must describe the detector that the patch was "
            "trained in. Received: "
            f"{base_config} with another {', '.join(different)} (model.ssd)."
        )


def merged_model(pipeline: Any, base_checkpoint: str, patch: Patch) -> Any:
    """Builds the task's model, restores the base and applies the edits."""
    model = base_model.build_model(pipeline.model, is_training=False)
    hosts = host_layers.find_ssd_hosts(model)
    base_model.restore_base(
        model, hosts, base_checkpoint, checkpoint_type="detection"
    )
    base = {name: v.numpy() for name, v in hosts.base_tensors().items()}
    _check_fingerprint(patch, base, base_checkpoint)
    _apply(hosts, base, patch)
    return model


def _check_fingerprint(patch: Patch, base: Any, base_checkpoint: str) -> None:
    found = hosts_lib.fingerprint(base)
    if found != patch.base_fingerprint:
        raise FingerprintError(
            "A patch fits the base model that it was trained on, and no "
            f"other. Received: a patch for base {patch.base_fingerprint}, "
            f"but {base_checkpoint!r} is base {found}."
        )


def _apply(hosts: Hosts, base: dict[str, Any], patch: Patch) -> None:
    heads = hosts.head_tensors()
    edited = apply_edits(base, patch.edits)
    variables = hosts.base_tensors() | heads
    absent = sorted(set(heads) - set(edited))
    unknown = sorted(set(edited) - set(variables))
    if absent or unknown:
        raise PatchFileError(
            "A patch must hold every tensor of its heads, and none that the "
            f"model lacks. Received: {patch.method} without "
            f"{absent or 'none'}, with unknown {unknown or 'none'}."
        )
    for name, value in edited.items():
        variable = variables[name]
        if tuple(variable.shape) != value.shape:
            raise PatchFileError(
                f"{name} must have shape {tuple(variable.shape)} in this "
                f"model. Received: {value.shape} in the patch."
            )
        variable.assign(value)
