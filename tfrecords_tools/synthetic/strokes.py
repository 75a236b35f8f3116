"""Parts of sketches as pixels: their colours, and their common silhouette."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from tfrecords_tools.synthetic.paint import Colour
from tfrecords_tools.synthetic.vector import Part

OPAQUE = 255
_ORIGIN = (0, 0)


def silhouette(parts: Sequence[Part]) -> tuple[Image.Image, tuple[int, int]]:
    """Mask of all solid parts, 0 or 255, and where its corner lies."""
    solid = [part for part in parts if part.is_solid]
    if not solid:
        return Image.new("L", (1, 1)), (0, 0)
    (x0, y0), (x1, y1) = _extent(solid)
    mask = Image.new("L", (x1 - x0, y1 - y0))
    pen = ImageDraw.Draw(mask)
    for part in solid:
        _stroke(pen, part, (x0, y0), OPAQUE)
    return mask, (x0, y0)


def _extent(parts: Sequence[Part]) -> tuple[list[int], list[int]]:
    """Whole-pixel corners (x, y) of a box around parts, a little too large."""
    points = np.concatenate([part.points for part in parts])
    reach = max(part.width for part in parts) / 2 + 1
    low = np.floor(points.min(axis=0) - reach).astype(int)
    high = np.ceil(points.max(axis=0) + reach).astype(int) + 1
    return low.tolist(), high.tolist()


def draw(
    image: Image.Image, parts: Sequence[Part], corner: tuple[int, int] = _ORIGIN
) -> None:
    pen = ImageDraw.Draw(image, "RGBA")
    for part in parts:
        if part.colour is not None:
            _stroke(pen, part, corner, part.colour)
        if part.inside:
            _draw_clipped(image, part, corner)


def _draw_clipped(
    image: Image.Image, clip: Part, corner: tuple[int, int]
) -> None:
    """Draws the parts inside on a copy, of which the polygon is kept."""
    low, high = _extent([clip])
    x0, y0 = max(low[0], corner[0]), max(low[1], corner[1])
    x1 = min(high[0], corner[0] + image.width)
    y1 = min(high[1], corner[1] + image.height)
    if x1 <= x0 or y1 <= y0:
        return
    window = (x0 - corner[0], y0 - corner[1], x1 - corner[0], y1 - corner[1])
    copy = image.crop(window)
    draw(copy, clip.inside, (x0, y0))
    mask = Image.new("1", copy.size)
    _stroke(ImageDraw.Draw(mask), clip, (x0, y0), 1)
    image.paste(copy, window[:2], mask)


def _stroke(
    pen: ImageDraw.ImageDraw,
    part: Part,
    corner: tuple[int, int],
    fill: Colour | int,
) -> None:
    """Draws one polygon or line, `corner` being the image's own.

    Pillow cuts fractions off, so a point marks the pixel that it lies in.
    """
    points = part.points if corner == _ORIGIN else part.points - corner
    flat = points.ravel().tolist()
    if not part.width:
        pen.polygon(flat, fill=fill)
        return
    width = max(1, round(part.width))
    pen.line(flat, fill=fill, width=width)
    if width > 2:
        radius = (width - 1) / 2
        for x, y in zip(flat[::2], flat[1::2], strict=True):
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill)
