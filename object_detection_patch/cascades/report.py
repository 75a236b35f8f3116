"""A measured cascade for people and for programs."""

from __future__ import annotations

import dataclasses
from typing import Any

from object_detection_patch.cascades.confidence import FORMULA
from object_detection_patch.cascades.measured import (
    MeasuredCascade,
    MeasuredStage,
)


def as_json(found: MeasuredCascade) -> dict[str, Any]:
    """All that was measured; an app needs `confidence` and `stages`."""
    return {
        "confidence": FORMULA,
        **dataclasses.asdict(found),
        "saved": found.saved,
    }


def as_text(found: MeasuredCascade) -> str:
    """Tables: each detector alone, and the cascade stage by stage."""
    alone = found.reference_single
    return "\n".join(
        [
            f"Chosen on {found.chosen_on:,} images, measured on "
            f"{found.measured_on:,} others. MFLOPs of one image's forward "
            "pass; mAP@0.5.",
            "",
            f"{'size':>9} {'MFLOPs':>10} {'mAP':>7}  detector alone",
            *(
                f"{_pixels(one.image_size):>9} {one.flops / 1e6:>10,.1f} "
                f"{one.accuracy:>7.4f}  {one.patch}"
                + ("  (reference)" if one.patch == found.reference else "")
                for one in found.singles
            ),
            f"{'cascade':>9} {found.flops / 1e6:>10,.1f} "
            f"{found.accuracy:>7.4f}",
            "",
            *map(_stage_line, found.stages),
            "",
            f"The cascade takes {found.saved:.1%} less than the reference on "
            f"average, at an mAP of {found.accuracy:.4f} against "
            f"{alone.accuracy:.4f}.",
        ]
    )


def _stage_line(stage: MeasuredStage) -> str:
    rule = (
        "answers the rest"
        if stage.threshold is None
        else f"answers from confidence {stage.threshold:.4f}"
    )
    return (
        f"{_pixels(stage.image_size):>9} sees {stage.seen:6.1%}, answers "
        f"{stage.answered:6.1%}: {rule} ({stage.patch})"
    )


def _pixels(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"
