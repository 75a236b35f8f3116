"""The font of labels and titles."""

from __future__ import annotations

from typing import Any

from object_detection_patch.pictures import packages

FONT_SIZE = 15


def load_font(size: int) -> Any:
    """Pillow's own font, so that none needs to be installed; in pixels."""
    return packages.pillow("ImageFont").load_default(size)
