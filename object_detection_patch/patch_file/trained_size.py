"""The input size that a patch was trained at, as its metadata tells."""

from __future__ import annotations

from typing import Any

_MOST = 2**16


def trained_size(metadata: dict[str, Any]) -> tuple[int, int] | None:
    """Height and width in pixels, or None where the metadata has none.

    Metadata is whatever its maker wrote, so nothing is relied on.
    """
    training = metadata.get("training")
    found = training.get("image_size") if isinstance(training, dict) else None
    if not isinstance(found, list) or len(found) != 2:
        return None
    if not all(type(side) is int and 0 < side <= _MOST for side in found):
        return None
    height, width = found
    return height, width
