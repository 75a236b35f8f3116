"""Shadows that lift a silhouette off the canvas, and shades that round it."""

import functools

import numpy as np
from PIL import Image, ImageChops, ImageFilter

_REACH = 0.06


def cast(
    canvas: Image.Image,
    mask: Image.Image,
    corner: tuple[int, int],
    strength: float,
) -> None:
    """Darkens the canvas below and right of a silhouette, softly.

    Args:
        mask: 0 or 255; its corner lies at `corner` on the canvas.
        strength: 0 to 1.
    """
    reach = max(2, round(_REACH * max(mask.size)))
    room = Image.new("L", (mask.width + 4 * reach, mask.height + 4 * reach))
    room.paste(round(255 * strength), (2 * reach, 2 * reach), mask)
    soft = room.filter(ImageFilter.BoxBlur(reach / 2))
    canvas.paste(0, (corner[0] - reach, corner[1] - reach), soft)


def shade(
    canvas: Image.Image,
    mask: Image.Image,
    corner: tuple[int, int],
    strength: float,
) -> None:
    """Darkens what a silhouette covers, the more the lower it lies.

    Args:
        mask, corner: as of `cast`.
        strength: 0 to 1, reached at the foot.
    """
    ramp = _ramp(round(255 * strength))
    stretched = ramp.resize(mask.size, Image.Resampling.NEAREST)
    canvas.paste(0, corner, ImageChops.multiply(mask, stretched))


@functools.lru_cache(maxsize=256)
def _ramp(end: int) -> Image.Image:
    """One column of 256 values, from 0 down to `end`."""
    column = np.linspace(0, end, 256).round().astype(np.uint8)
    return Image.fromarray(column[:, None])
