"""What publishing a patch wrote and measured, and a report of it."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Result:
    """The model that a phone makes of one base and the patch.

    Args:
      image_size: height and width of its input; None if the patch does not
        say at which it was trained.
      accuracy: its mAP@0.5 on the evaluation records, or None.
    """

    base: str
    precision: str
    image_size: tuple[int, int] | None
    model_bytes: int
    sha256: str
    accuracy: float | None


@dataclasses.dataclass(frozen=True)
class PublishedPatch:
    """What `publish` wrote, and a result for each base."""

    output: str
    file_bytes: int
    classes: int
    signed: bool
    results: tuple[Result, ...]


def report(published: PublishedPatch) -> str:
    """A paragraph for people about a published patch."""
    lines = [
        f"{published.output}: {published.file_bytes:,} bytes, "
        f"{published.classes} classes, "
        f"{'signed' if published.signed else 'not signed'}."
    ]
    for result in published.results:
        size = result.image_size
        pixels = "" if size is None else f"{size[0]} x {size[1]} pixels, "
        lines.append(
            f"{result.base} ({result.precision}) becomes a model of "
            f"{pixels}{result.model_bytes:,} bytes, "
            f"SHA-256 {result.sha256}"
            + (
                ""
                if result.accuracy is None
                else f", mAP@0.5 {result.accuracy:.4f}"
            )
        )
    return "\n".join(lines)
