"""Images side by side on a sheet, under titles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from object_detection_patch.pictures import packages
from object_detection_patch.pictures.checks import checked_image
from object_detection_patch.pictures.colours import INK, PAPER
from object_detection_patch.pictures.fonts import FONT_SIZE, load_font

_GAP = 10  # pixels
_LINE_HEIGHT = FONT_SIZE + 12


def side_by_side(
    rows: Sequence[Sequence[np.ndarray]],
    column_titles: Sequence[str],
    row_titles: Sequence[str],
) -> np.ndarray:
    """A sheet of images in rows and columns, titles above and at the left.

    Args:
      rows: as many images in each row as there are column titles. Images may
        differ in size; each is centred in its cell.
      column_titles: one per column.
      row_titles: one per row.
    Raises:
      ValueError: no image, or counts that disagree.
      ImportError: without Pillow.
    """
    _check_sheet(rows, column_titles, row_titles)
    images = [
        [checked_image(f"rows[{r}][{c}]", image) for c, image in enumerate(row)]
        for r, row in enumerate(rows)
    ]
    font = load_font(FONT_SIZE + 2)
    widths = [
        max(_text_width(font, title), *(row[c].shape[1] for row in images))
        for c, title in enumerate(column_titles)
    ]
    heights = [max(image.shape[0] for image in row) for row in images]
    lines = max(title.count("\n") + 1 for title in column_titles)
    heading = _LINE_HEIGHT * lines
    margin = max(_text_width(font, title) for title in row_titles) + _GAP
    lefts = _starts(margin + _GAP, widths)
    tops = _starts(heading, heights)
    sheet = packages.pillow("Image").new(
        "RGB",
        (lefts[-1] + widths[-1] + _GAP, tops[-1] + heights[-1] + _GAP),
        PAPER,
    )
    write = partial(
        packages.pillow("ImageDraw").Draw(sheet).text, fill=INK, font=font
    )
    for left, width, title in zip(lefts, widths, column_titles, strict=True):
        centre = (left + width / 2, heading / 2)
        write(centre, title, anchor="mm", align="center")
    for top, height, title in zip(tops, heights, row_titles, strict=True):
        write((_GAP, top + height / 2), title, anchor="lm")
    for row, top, height in zip(images, tops, heights, strict=True):
        for image, left, width in zip(row, lefts, widths, strict=True):
            corner = (
                left + (width - image.shape[1]) // 2,
                top + (height - image.shape[0]) // 2,
            )
            sheet.paste(packages.pillow("Image").fromarray(image), corner)
    return np.asarray(sheet).copy()


def _starts(first: int, sizes: Sequence[int]) -> list[int]:
    """Where each row or column begins; gaps lie between them."""
    return [first + sum(sizes[:i]) + _GAP * i for i in range(len(sizes))]


def _check_sheet(
    rows: Sequence[Sequence[np.ndarray]],
    column_titles: Sequence[str],
    row_titles: Sequence[str],
) -> None:
    counts = [len(row) for row in rows]
    if not column_titles or not rows:
        raise ValueError(
            "A sheet needs at least one image. Received: "
            f"{len(rows)} rows, {len(column_titles)} column titles"
        )
    if len(rows) != len(row_titles) or set(counts) != {len(column_titles)}:
        raise ValueError(
            "Rows and columns must match their titles. Received: rows of "
            f"{counts} images, {len(row_titles)} row titles, "
            f"{len(column_titles)} column titles"
        )


def _text_width(font: Any, text: str) -> int:
    return math.ceil(max(font.getlength(line) for line in text.split("\n")))
