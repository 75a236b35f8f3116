"""What a report is made of, whatever it is written as."""

from __future__ import annotations

import dataclasses
from typing import Literal

Number = int | float
Cell = str | Number | None
"""None is a gap: not run, failed, or not reported by the paper."""

Style = Literal["text", "integer", "1", "2", "3", "percent", "bytes"]
"""How a column is written: as text, with thousands separators, with so many
decimals, a share as percent with two decimals, or bytes with separators."""


@dataclasses.dataclass(frozen=True)
class Column:
    """A heading, how its cells are written, and a longer explanation."""

    title: str
    style: Style = "text"
    explanation: str = ""


@dataclasses.dataclass(frozen=True)
class Table:
    """Rows of cells, exact; they are rounded where they are written.

    Args:
      key: name of its .csv file.
      notes: what differs in setting, how to read it; a sentence each.
      highlights: (row, column) indices of best values, shown in bold.
    """

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    highlights: frozenset[tuple[int, int]] = frozenset()


@dataclasses.dataclass(frozen=True)
class Figure:
    """A picture: `svg` text, or an image file's bytes and media type.

    Args:
      alternative: what it shows, for who cannot see it.
    """

    key: str
    title: str
    alternative: str
    svg: str = ""
    image: bytes = b""
    media_type: str = ""


@dataclasses.dataclass(frozen=True)
class Section:
    """A heading, plain paragraphs, then tables and figures."""

    key: str
    title: str
    paragraphs: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    figures: tuple[Figure, ...] = ()


@dataclasses.dataclass(frozen=True)
class Report:
    title: str
    paragraphs: tuple[str, ...]
    sections: tuple[Section, ...]
