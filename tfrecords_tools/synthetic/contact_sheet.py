"""One PNG that shows many annotated images with their boxes and names."""

import io
import math
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from tfrecords_tools.atomic import replace_together
from tfrecords_tools.record import AnnotatedImage, AnnotatedObject

_COLUMNS = 6
_TILE = 192
_GAP = 6
_PAPER = (250, 250, 248)
_TEXT_HEIGHT = 12
# Dark enough for white text; told apart by the colour-blind.
# Source: Okabe and Ito, "Color Universal Design", 2008, darkened.
_COLOURS = (
    (0, 90, 150),
    (180, 70, 0),
    (0, 120, 85),
    (150, 75, 120),
    (170, 20, 50),
    (120, 95, 0),
)


def write_contact_sheet(
    path: str | Path, images: Sequence[AnnotatedImage]
) -> None:
    """Draws the images in rows of six, each scaled to fit 192 x 192 pixels.

    Raises: ValueError if there is no image.
    """
    if not images:
        raise ValueError("A contact sheet needs at least one image.")
    columns = min(_COLUMNS, len(images))
    rows = math.ceil(len(images) / columns)
    step = _TILE + _GAP
    sheet = Image.new(
        "RGB", (columns * step + _GAP, rows * step + _GAP), _PAPER
    )
    for index, image in enumerate(images):
        row, column = divmod(index, columns)
        sheet.paste(_tile(image), (_GAP + column * step, _GAP + row * step))
    with replace_together([Path(path)]) as (file,):
        sheet.save(file, "PNG")


def _tile(image: AnnotatedImage) -> Image.Image:
    scale = _TILE / max(image.width, image.height)
    size = (round(image.width * scale), round(image.height * scale))
    with Image.open(io.BytesIO(image.encoded)) as picture:
        tile = picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    draw = ImageDraw.Draw(tile)
    for box in image.objects:
        edges = [round(edge * scale) for edge in box.edges]
        _draw_box(draw, edges, _colour(box))
    for box in image.objects:
        corner = (round(box.xmin * scale), round(box.ymin * scale))
        _draw_name(draw, corner, box)
    return tile


def _colour(box: AnnotatedObject) -> tuple[int, int, int]:
    return _COLOURS[box.label % len(_COLOURS)]


def _draw_box(
    draw: ImageDraw.ImageDraw,
    edges: Sequence[int],
    colour: tuple[int, int, int],
) -> None:
    xmin, ymin, xmax, ymax = edges
    inner = (xmin, ymin, max(xmin, xmax - 1), max(ymin, ymax - 1))
    draw.rectangle(inner, outline=colour, width=2)


def _draw_name(
    draw: ImageDraw.ImageDraw, corner: tuple[int, int], box: AnnotatedObject
) -> None:
    """A flag above the box, or in it where the picture ends."""
    font = ImageFont.load_default(_TEXT_HEIGHT)
    width = round(draw.textlength(box.name, font)) + 6
    height = _TEXT_HEIGHT + 3
    left = max(0, min(corner[0], _TILE - width))
    top = corner[1] - height if corner[1] > height else corner[1]
    flag = (left, top, left + width, top + height)
    draw.rectangle(flag, fill=_colour(box))
    draw.text((left + 3, top), box.name, fill="white", font=font)
