"""The patch that a trained model ships, as its file will hold it."""

from __future__ import annotations

import dataclasses
from typing import Any

from object_detection_patch.od_api import label_map, pipeline_config
from object_detection_patch.patch_file import (
    ENCODINGS,
    LabelMapItem,
    Patch,
    to_bytes,
)
from object_detection_patch.training import cost


def shipped_patch(model: Any, pipeline: Any, *, step: int) -> Patch:
    """What a patched model adds to its base, with labels and metadata.

    Args:
      model: patched SSD, every variable restored.
      pipeline: TrainEvalPipelineConfig of the training.
      step: that the variables are of.

    Raises:
      ValueError: for a label map that is missing or malformed.
      OtherPatchError: for a patch without a base.
    """
    items, _ = label_map.common_label_map(pipeline)
    return Patch(
        method=model.patch.method,
        base_fingerprint=model.patch.base_fingerprint,
        edits=tuple(model.patch.edits()),
        label_map=tuple(LabelMapItem(*item) for item in items),
        metadata=_metadata(pipeline, model.patch, step),
    )


def file_bytes(patch: Patch) -> dict[str, int]:
    """Name of one of ENCODINGS -> size of the patch's file.

    Raises:
      PatchFileError: for a patch that no file may hold.
    """
    return {
        name: len(to_bytes(patch, encoding=encoding))
        for name, encoding in ENCODINGS.items()
    }


def without(patch: Patch, targets: frozenset[str]) -> Patch:
    """The patch less the edits of these targets, to weigh them."""
    kept = tuple(edit for edit in patch.edits if edit.target not in targets)
    return dataclasses.replace(patch, edits=kept)


def image_size(pipeline: Any) -> list[int]:
    """Pixels of the model's input: height and width, or least and most."""
    resizer = pipeline.model.ssd.image_resizer
    if resizer.HasField("fixed_shape_resizer"):
        fixed = resizer.fixed_shape_resizer
        return [fixed.height, fixed.width]
    ratio = resizer.keep_aspect_ratio_resizer
    return [ratio.min_dimension, ratio.max_dimension]


def _metadata(pipeline: Any, method: Any, step: int) -> dict[str, Any]:
    base = cost.base_size(method.hosts)
    footprint = cost.patch_footprint(method)
    return {
        "training": {
            "steps": step,
            "planned_steps": pipeline.train_config.num_steps,
            "batch_size": pipeline.train_config.batch_size,
            "extractor": pipeline.model.ssd.feature_extractor.type,
            "image_size": image_size(pipeline),
        },
        "architecture": pipeline_config.architecture_digests(pipeline),
        "base_parameters": base.total,
        "nominal_bits": footprint.nominal_bits(bits=32),
        "uncounted": sorted(cost.uncounted_names(method.hosts)),
        "gateable": [
            {"name": gate.target, "weights": gate.weights}
            for gate in method.gates()
        ],
    }
