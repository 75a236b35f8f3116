"""Text files, line by line."""

from collections.abc import Iterator
from pathlib import Path

from tfrecords_tools.errors import ParseError

# ASCII's; to `str` alone, control characters such as \x1c are space too.
_SPACE = " \t\n\r\v\f"


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    r"""(number from 1, line without its end) of each line that is not blank.

    Only "\n" and "\r\n" end a line; other characters that Unicode calls line
    ends may be part of a name. A byte order mark in front is skipped.

    Raises: ParseError naming the line that is no UTF-8.
    """
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            try:
                encoding = "utf-8-sig" if number == 1 else "utf-8"
                line = raw.decode(encoding).rstrip("\r\n")
            except UnicodeDecodeError as error:
                raise ParseError(
                    path,
                    f"line {number}",
                    f"Text must be UTF-8. Received byte "
                    f"{error.object[error.start]:#04x}",
                ) from error
            if line.strip(_SPACE):
                yield number, line
