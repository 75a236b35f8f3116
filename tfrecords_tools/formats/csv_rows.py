"""Comma-separated values, with the line of each row."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from tfrecords_tools.errors import ParseError


def csv_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """(number from 1 of its last line, fields) of each row that is not empty.

    Raises: ParseError naming the line that is no UTF-8 or badly quoted.
    """
    with path.open("rb") as file:
        reader = csv.reader(_texts(cast(BinaryIO, file)), strict=True)
        try:
            for row in reader:
                if row:
                    yield reader.line_num, row
        except UnicodeDecodeError as error:
            raise ParseError(
                path,
                f"line {reader.line_num + 1}",
                f"Text must be UTF-8. Received byte "
                f"{error.object[error.start]:#04x}",
            ) from error
        except csv.Error as error:
            raise ParseError(
                path,
                f"line {reader.line_num}",
                f"Rows must be comma-separated values. Received: {error}",
            ) from error


def _texts(file: BinaryIO) -> Iterator[str]:
    """Lines; a byte order mark in front of the first is skipped."""
    for number, line in enumerate(file):
        yield line.decode("utf-8" if number else "utf-8-sig")
