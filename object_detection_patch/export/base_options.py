"""What is asked of a published base, checked before minutes of work."""

from __future__ import annotations

import dataclasses
from typing import Any

from object_detection_patch.export import runtime
from object_detection_patch.export.errors import ExportError
from object_detection_patch.export.policy_graph import PolicySize
from object_detection_patch.methods import instance_routing
from object_detection_patch.od_api import base_model, input_size
from object_detection_patch.tflite.limits import MAX_CLASSES, MAX_SIZES
from object_detection_patch.tflite.sidecar import INT8

# No metric looks at more, and each costs memory in every run.
_MOST_DETECTIONS = 1000


@dataclasses.dataclass(frozen=True)
class Options:
    """The arguments of `export_base` of the same names."""

    precision: str
    calibration_records: str | None
    calibration_images: int
    max_classes: int
    max_detections: int
    regular_nms: bool
    eval_records: str | None
    snap: bool
    policy: PolicySize | None = None
    resolutions: tuple[tuple[int, int], ...] = ()


def check(pipeline: Any, options: Options) -> None:
    """Raises ValueError for options that do not fit a base's config."""
    base_model.refuse_other_architectures(pipeline.model)
    ssd = pipeline.model.ssd
    if not ssd.image_resizer.HasField("fixed_shape_resizer"):
        raise ExportError(
            "A phone's model has one input size: `fixed_shape_resizer` "
            "(model.ssd.image_resizer in pipeline.config). Received: "
            f"{ssd.image_resizer.WhichOneof('image_resizer_oneof')!r}."
        )
    _check_resolutions(pipeline, options)
    if ssd.num_classes > options.max_classes:
        raise ExportError(
            "`--max_classes` must cover the base's own classes, "
            f"{ssd.num_classes}. Received: {options.max_classes}."
        )
    if options.max_classes > MAX_CLASSES:
        raise ExportError(
            f"`--max_classes` may be {MAX_CLASSES}, which is what a sidecar "
            f"can state. Received: {options.max_classes}."
        )
    if options.max_detections > _MOST_DETECTIONS:
        raise ExportError(
            f"`--max_detections` may be {_MOST_DETECTIONS}; the exported model "
            "keeps room for all of them in every run. Received: "
            f"{options.max_detections}."
        )
    if options.policy is not None:
        _check_routing(ssd, options.policy, options.precision)
    _check_records(options)


def _check_resolutions(pipeline: Any, options: Options) -> None:
    sizes = options.resolutions
    if not sizes:
        return
    own = input_size.fixed_size(pipeline, "pipeline.config")
    if own not in sizes or len(set(sizes)) < len(sizes):
        raise ExportError(
            "`--resolutions` are image sizes, each once, and the config's own "
            f"is one of them, {input_size.size_text(own)}: base.tflite has "
            "it. Received: " + " ".join(map(input_size.size_text, sizes)) + "."
        )
    if len(sizes) > MAX_SIZES:
        raise ExportError(
            f"`--resolutions` may be {MAX_SIZES}. Received: {len(sizes)}."
        )
    if options.precision == INT8:
        raise ExportError(
            "`--resolutions` are for float32 and float16: the ranges of "
            "activations at a size reach into the scales of an int8 base's "
            "weights, so each size has weights of its own. Received: int8 "
            "(`--precision`); export a base for each size."
        )
    if options.policy is not None:
        raise ExportError(
            "A routing base has one input size: its policy has seen no other. "
            "Received: `--resolutions` with `--routing`."
        )
    for size in sizes:
        input_size.refuse_uneven(
            input_size.with_size(pipeline, size).model, "--resolutions"
        )


def _check_routing(ssd: Any, policy: PolicySize, precision: str) -> None:
    if precision == INT8:
        raise ExportError(
            "A routing base stores its weights as float32 or float16: the "
            "ranges of a model with branches cannot be measured. Received: "
            "int8 (`--precision`)."
        )
    for flag, value in (
        ("--policy_blocks", policy.blocks),
        ("--policy_channels", policy.channels),
    ):
        if value < 1:
            raise ExportError(f"`{flag}` must be >= 1. Received: {value}.")
    most = instance_routing.MOST_POLICY_CHANNELS
    # The width of as many blocks as would be too many anyway is no number.
    width = instance_routing.policy_width(
        min(policy.blocks, most), policy.channels
    )
    if width > most:
        raise ExportError(
            f"The policy's last block may have {most} channels. Received: "
            f"`--policy_channels {policy.channels}`, doubled with each of "
            f"`--policy_blocks {policy.blocks}`."
        )
    size = ssd.image_resizer.fixed_shape_resizer
    multiple = max(1, ssd.feature_extractor.pad_to_multiple)
    if size.height % multiple or size.width % multiple:
        raise ExportError(
            "The policy of a routing base sees the image that the backbone "
            "sees, so sides must be multiples of `pad_to_multiple` "
            f"({multiple}; model.ssd.feature_extractor in pipeline.config). "
            f"Received: {size.height} x {size.width}."
        )


def _check_records(options: Options) -> None:
    if options.precision == INT8:
        if not options.calibration_records:
            raise ExportError(
                "int8 needs `--calibration_records` to measure the ranges of "
                "activations. Received: none."
            )
        runtime.refuse_empty(
            "--calibration_records", options.calibration_records
        )
    if options.eval_records:
        runtime.refuse_empty("--eval_records", options.eval_records)
