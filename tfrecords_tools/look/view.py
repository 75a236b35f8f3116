"""A sheet of pictures of records."""

import math
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from tfrecords_tools.atomic import replace_together
from tfrecords_tools.look.choose import Example
from tfrecords_tools.look.lettering import fit, load_font
from tfrecords_tools.look.marks import LEGEND
from tfrecords_tools.look.seen import ClassNames
from tfrecords_tools.look.tile import Tile, draw_tile

_GAP = 8
_LEGEND_HEIGHT = 22
_PAPER = (250, 250, 248)
_INK = (30, 30, 30)


def write_sheet(
    path: Path,
    examples: Sequence[Example],
    *,
    side: int,
    columns: int | None,
    classes: ClassNames,
) -> int:
    """Writes a PNG of all examples in rows; returns how many are broken.

    Args:
        side: of the square that an image fits in, pixels.
        columns: None for a sheet that is a little wider than high.
    Raises: ValueError if there is no example; OSError.
    """
    if not examples:
        raise ValueError("A sheet needs at least one image. Received: none")
    columns = columns or _choose_columns(len(examples))
    tiles = [draw_tile(example, side, classes) for example in examples]
    rows = [tiles[i : i + columns] for i in range(0, len(tiles), columns)]
    sheet = _blank_sheet(rows, min(columns, len(tiles)), side)
    top = _GAP
    for row in rows:
        for column, tile in enumerate(row):
            sheet.paste(tile.picture, (_GAP + column * (side + _GAP), top))
        top += _height(row)
    with replace_together([path]) as (file,):
        sheet.save(file, "PNG")
    return sum(bool(tile.problem) for tile in tiles)


def _choose_columns(count: int) -> int:
    return max(1, round(math.sqrt(1.5 * count)))


def _blank_sheet(
    rows: Sequence[Sequence[Tile]], columns: int, side: int
) -> Image.Image:
    """Paper of the right size, with the legend on its last line."""
    width = _GAP + columns * (side + _GAP)
    height = _GAP + sum(map(_height, rows))
    sheet = Image.new("RGB", (width, height + _LEGEND_HEIGHT), _PAPER)
    font = load_font(12)
    legend = fit(LEGEND, font, width - 2 * _GAP)
    place = (_GAP, height + _LEGEND_HEIGHT // 2 - _GAP // 2)
    ImageDraw.Draw(sheet).text(place, legend, _INK, font, anchor="lm")
    return sheet


def _height(row: Sequence[Tile]) -> int:
    """Of a row with the gap below it: wide images leave no hole."""
    return max(tile.picture.height for tile in row) + _GAP
