"""What publishing a base wrote and measured, and a report of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from object_detection_patch.export.comparison import Difference
from object_detection_patch.export.mending import Mended
from object_detection_patch.export.policy_graph import PolicySize
from object_detection_patch.tflite.patcher import SIDECAR_SUFFIX

MODEL_FILE = "base.tflite"
SIDECAR_FILE = f"base{SIDECAR_SUFFIX}"
CHECKPOINT_FOLDER = "checkpoint"
_NAMES_SHOWN = 3


@dataclasses.dataclass(frozen=True)
class ExportedSize:
    """Another input size of a base.

    Args:
      height, width: in pixels.
      sidecar_bytes: that the sidecar has for it.
      difference: of the raw outputs at this size from the Keras model's.
    """

    height: int
    width: int
    sidecar_bytes: int
    difference: Difference


@dataclasses.dataclass(frozen=True)
class ExportedBase:
    """What `export_base` wrote and measured.

    Args:
      mended: what was changed before publishing.
      margin: how clearly each constant was found, see `Structure`.
      difference: of the raw outputs from the Keras model's.
      max_detections, regular_nms: of the post-processing op.
      accuracy: mAP@0.5 by stage; empty without evaluation records.
      policy: of a routing base, else None.
      sizes: the other input sizes of its models.
    """

    output_dir: str
    precision: str
    fingerprint: str
    model_bytes: int
    sidecar_bytes: int
    classes: int
    capacity: int
    kernels: int
    copies: int
    mended: Mended
    margin: float
    difference: Difference
    max_detections: int
    regular_nms: bool
    accuracy: dict[str, float]
    policy: PolicySize | None = None
    sizes: tuple[ExportedSize, ...] = ()


def report(exported: ExportedBase) -> str:
    """A paragraph for people about a published base."""
    lines = [
        f"{exported.output_dir}: {MODEL_FILE} {exported.model_bytes:,} bytes "
        f"({exported.precision}), {SIDECAR_FILE} {exported.sidecar_bytes:,} "
        f"bytes, {CHECKPOINT_FOLDER}/ to train tasks on.",
        f"Base {exported.fingerprint[:12]}; {exported.classes} classes, "
        f"tasks of up to {exported.capacity}.",
        f"{exported.kernels} kernels found in {exported.copies} copies, each "
        f"at least {exported.margin:,.0f} times nearer than the next best.",
        *_routing(exported.policy),
        *_mended(exported.mended),
        _difference(exported.difference),
        *_sizes(exported.sizes),
        *_accuracy(exported),
    ]
    return "\n".join(lines)


def _routing(policy: PolicySize | None) -> Iterator[str]:
    if policy is not None:
        yield (
            "A routing base: each block of the backbone is there frozen and as "
            f"a slot for the task's, with slots for a policy of {policy.blocks}"
            f" blocks and {policy.channels} channels. Without a patch that "
            "routes, it is the ordinary base."
        )


def _mended(mended: Mended) -> Iterator[str]:
    if mended.raised_channels:
        yield (
            f"{mended.raised_channels} gammas were too small to survive "
            "folding and were raised: train tasks on the new checkpoint."
        )
    if mended.snapped_kernels:
        yield (
            f"{mended.snapped_kernels} kernels were rounded to the int8 "
            "grid: train tasks on the new checkpoint."
        )
    unraised = mended.unraised_channels
    if unraised:
        names = list(unraised)
        more = len(names) - _NAMES_SHOWN
        yield (
            f"CAREFUL: {sum(unraised.values())} channels are too small to "
            "survive folding and cannot be raised, because their BatchNorms "
            f"have no gamma: {', '.join(names[:_NAMES_SHOWN])}"
            + (f" and {more} more" if more > 0 else "")
            + ". There a phone edits what rounding has left of the kernels; "
            "measure each task's published patch (publish --eval_records)."
        )


def _difference(difference: Difference) -> str:
    told = (
        "Raw outputs differ from the Keras model's by "
        f"{difference.largest:.1e} of the largest"
    )
    if difference.ratio is None:
        return f"{told}."
    return (
        f"{told}, on average {difference.ratio:.2f} times as much as those of "
        "the converter's own int8 model."
    )


def _sizes(sizes: tuple[ExportedSize, ...]) -> Iterator[str]:
    for size in sizes:
        yield (
            f"Patches for {size.height} x {size.width} pixels fit too: "
            f"{size.sidecar_bytes:,} bytes of {SIDECAR_FILE}. "
            f"{_difference(size.difference)}"
        )


def _accuracy(exported: ExportedBase) -> Iterator[str]:
    if not exported.accuracy:
        return
    for stage, value in exported.accuracy.items():
        yield f"mAP@0.5 {stage}: {value:.4f}"
    nms = (
        "suppresses boxes class by class (--regular_nms)"
        if exported.regular_nms
        else "keeps one class for each anchor unless --regular_nms is given"
    )
    yield (
        f"All count the best {exported.max_detections} detections of an "
        "image. The stages before end in the config's post-processing, "
        f"{MODEL_FILE} in TFLite's, which {nms}."
    )
