"""Base checkpoint + fine-tuned checkpoint -> patch, without a training."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

from object_detection_patch import footprint
from object_detection_patch.checkpoints import differences, distill, pair
from object_detection_patch.checkpoints.differences import KernelError
from object_detection_patch.checkpoints.pair import Detector
from object_detection_patch.hosts import fingerprint
from object_detection_patch.od_api import label_map as label_map_lib
from object_detection_patch.od_api import pipeline_config
from object_detection_patch.patch_file import Edit, LabelMapItem, Patch
from object_detection_patch.training import cost, shipped

METHOD = "DIFF"
DISTILL_STEPS = 200


@dataclasses.dataclass(frozen=True)
class DiffedPatch:
    """A patch between two checkpoints and how near it comes.

    Args:
      layers: the error of every kernel outside the heads, in network order;
        all else is exact.
      distilled: raw outputs before and after distillation, None without
        records.
    """

    patch: Patch
    layers: tuple[KernelError, ...]
    distilled: distill.Distilled | None
    base_checkpoint: str
    tuned_checkpoint: str


def diff(
    base_checkpoint: str,
    tuned_checkpoint: str,
    *,
    base_config: str | None = None,
    tuned_config: str | None = None,
    label_map: str | None = None,
    distill_records: str | None = None,
    distill_steps: int | None = None,
) -> DiffedPatch:
    """Approximates what fine-tuning changed by a patch for the base.

    Kernels get a 1-bit mask and a scale (`differences.signed`). BatchNorms
    (folded onto the base's statistics), biases and heads are exact.

    Args:
      base_checkpoint: directory or prefix of the base's checkpoint.
      tuned_checkpoint: of the same detector after training on the task; it
        may have another number of classes.
      base_config: by default the `pipeline.config` beside the checkpoint or
        a directory above; so with `tuned_config`.
      label_map: by default the one that the tuned config names.
      distill_records: pattern of TFRecords; the patch's numbers are then
        trained until its outputs on their images are near the tuned ones.
      distill_steps: 200 if None; 0 only measures the outputs.

    Raises:
      ValueError: for checkpoints, configs, a label map or records between
        which there is no patch, naming the flag.
    """
    steps = _checked_steps(distill_records, distill_steps)
    base_source = pair.find("base", base_checkpoint, base_config)
    tuned_source = pair.find("tuned", tuned_checkpoint, tuned_config)
    pair.refuse_unlike(base_source, tuned_source)
    items = _label_items(tuned_source.pipeline, label_map)
    model_config = tuned_source.pipeline.model
    base = pair.read(base_source, model_config)
    tuned = pair.read(tuned_source, model_config)
    before, after = base.base_tensors(), tuned.base_tensors()
    edits = tuple(differences.find_edits(tuned.hosts, before, after))
    distilled = None
    if distill_records:
        distilled = distill.distill(
            base, tuned, edits, records=distill_records, steps=steps
        )
        edits = distilled.edits
    layers = differences.kernel_errors(
        tuned.hosts.kernels, before, after, edits
    )
    patch = Patch(
        method=METHOD,
        base_fingerprint=fingerprint(before),
        edits=edits,
        label_map=tuple(LabelMapItem(*item) for item in items),
        metadata=_metadata(tuned, edits, layers, distilled),
    )
    return DiffedPatch(
        patch,
        layers,
        distilled,
        base_source.checkpoint,
        tuned_source.checkpoint,
    )


def report(diffed: DiffedPatch, output: str) -> str:
    """For people: a patch file just written, with the error of each kernel."""
    patch, layers = diffed.patch, diffed.layers
    metadata = patch.metadata
    width = max(len(layer.name) for layer in layers)
    lines = [
        f"{output}: {os.path.getsize(output):,} bytes, {patch.method} for "
        f"{len(patch.label_map)} classes, from {diffed.tuned_checkpoint} "
        f"against {diffed.base_checkpoint}.",
        f"Base {patch.base_fingerprint[:12]}; nominal footprint "
        f"{metadata['nominal_bits'] / 32 / metadata['base_parameters']:.2%} "
        "of its counted parameters.",
        "",
        f"{'kernel':<{width}}  {'weights':>9}  |W' - B| / |B - A|",
        *(_layer_line(layer, width) for layer in layers),
        f"{'all':<{width}}  {sum(layer.weights for layer in layers):>9,}  "
        f"{differences.total_relative(layers):.3f}",
        "",
        "BatchNorms (folded), biases and heads are exact"
        f"{_distilled_note(diffed.distilled)}.",
        *_output_lines(diffed.distilled),
    ]
    return "\n".join(lines)


def _checked_steps(records: str | None, steps: int | None) -> int:
    if steps is not None and not records:
        raise ValueError(
            "`--distill_steps` needs the images of `--distill_records`. "
            f"Received: {steps} without records."
        )
    if steps is not None and steps < 0:
        raise ValueError(
            f"`--distill_steps` must be 0 or more. Received: {steps}."
        )
    return DISTILL_STEPS if steps is None else steps


def _label_items(pipeline: Any, path: str | None) -> list[tuple[int, str, str]]:
    try:
        if path:
            items = label_map_lib.read_label_map(path)
        else:
            items, path = label_map_lib.common_label_map(pipeline)
        label_map_lib.check_num_classes(
            items, pipeline.model.ssd.num_classes, path
        )
    except ValueError as error:
        raise ValueError(
            "A patch ships the label map of the tuned detector, from "
            f"`--tuned_config` or from `--label_map`. {error}"
        ) from error
    return items


def _metadata(
    tuned: Detector,
    edits: tuple[Edit, ...],
    layers: tuple[KernelError, ...],
    distilled: distill.Distilled | None,
) -> dict[str, Any]:
    pipeline, hosts = tuned.source.pipeline, tuned.hosts
    uncounted = cost.uncounted_names(hosts)
    counted = footprint.nominal_footprint(edits, uncounted=uncounted)
    return {
        "training": {
            "extractor": pipeline.model.ssd.feature_extractor.type,
            "image_size": shipped.image_size(pipeline),
        },
        "diff": {
            "relative_error": differences.total_relative(layers),
            "distill_steps": _steps_shipped(distilled),
        },
        "architecture": pipeline_config.architecture_digests(pipeline),
        "base_parameters": cost.base_size(hosts).total,
        "nominal_bits": counted.nominal_bits(bits=32),
        "uncounted": sorted(uncounted),
        "gateable": [
            {"name": kernel.name, "weights": kernel.size}
            for kernel in hosts.kernels
        ],
    }


def _steps_shipped(distilled: distill.Distilled | None) -> int:
    return distilled.steps if distilled and distilled.helped else 0


def _layer_line(layer: KernelError, width: int) -> str:
    if not layer.change:
        error = "unchanged"
    else:
        error = f"{layer.relative:.3f}" + ("" if layer.edited else " (no mask)")
    return f"{layer.name:<{width}}  {layer.weights:>9,}  {error}"


def _distilled_note(distilled: distill.Distilled | None) -> str:
    if not _steps_shipped(distilled):
        return ""
    return ", but for what distillation changed in the BatchNorms"


def _output_lines(distilled: distill.Distilled | None) -> list[str]:
    if distilled is None:
        return [
            "A sign is a coarse copy: evaluate the merged detector, and see "
            "`--distill_records`."
        ]
    before, after = distilled.before, distilled.after
    lines = [
        "Raw outputs, RMS difference as a share of the tuned detector's on "
        f"{before.images} images: boxes {before.boxes:.3f}, classes "
        f"{before.classes:.3f}."
    ]
    if after is not None:
        lines.append(
            f"After {distilled.steps} steps of distillation: boxes "
            f"{after.boxes:.3f}, classes {after.classes:.3f}."
        )
        if not distilled.helped:
            lines.append("That is no nearer: the numbers from before ship.")
    return lines
