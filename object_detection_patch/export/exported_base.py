"""What publishing a base wrote and measured, and a report of it."""

from __future__ import annotations

import dataclasses

from object_detection_patch.tflite.patcher import SIDECAR_SUFFIX

MODEL_FILE = "base.tflite"
SIDECAR_FILE = f"base{SIDECAR_SUFFIX}"
CHECKPOINT_FOLDER = "checkpoint"


@dataclasses.dataclass(frozen=True)
class ExportedBase:
    """What `export_base` wrote and measured.

    Args:
      raised_channels: channels whose gamma was raised.
      snapped_kernels: kernels rounded to the int8 grid.
      margin: how clearly each constant was found, see `Structure`.
      difference: of the raw outputs from the Keras model's, in units of the
        largest one; None for int8.
      accuracy: mAP@0.5 by stage; empty without evaluation records.
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
    raised_channels: int
    snapped_kernels: int
    margin: float
    difference: float | None
    accuracy: dict[str, float]


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
    ]
    if exported.raised_channels:
        lines.append(
            f"{exported.raised_channels} gammas were too small to survive "
            "folding and were raised: train tasks on the new checkpoint."
        )
    if exported.snapped_kernels:
        lines.append(
            f"{exported.snapped_kernels} kernels were rounded to the int8 "
            "grid: train tasks on the new checkpoint."
        )
    if exported.difference is not None:
        lines.append(
            "Raw outputs differ from the Keras model's by "
            f"{exported.difference:.1e} of the largest."
        )
    lines += [
        f"mAP@0.5 {stage}: {value:.4f}"
        for stage, value in exported.accuracy.items()
    ]
    return "\n".join(lines)
