"""Open Images' box files, whose rows may come in any order.

    ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,...

14.6 million rows fit no memory. They are spread over 256 temporary files by
the first two digits of the image's id; each is then grouped and sorted alone.
"""

import operator
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from tfrecords_tools.errors import ParseError
from tfrecords_tools.formats.csv_rows import csv_rows

COLUMNS = (
    "ImageID",
    "LabelName",
    "XMin",
    "YMin",
    "XMax",
    "YMax",
    "IsOccluded",
    "IsTruncated",
    "IsGroupOf",
    "IsDepiction",
)
OVERSHOOT = 1e-6
"""How far a number may leave [0, 1]; what rounding makes of an edge."""

_FLUSH_ROWS = 200_000
_NUMBER = r"(-?(?:[0-9]{1,25}\.?[0-9]{0,25}|\.[0-9]{1,25})(?:[eE][-+]?[0-9]+)?)"
_FLAG = r"(-1|0|1)"
_ROW = re.compile(
    rf"[0-9]+,([0-9a-f]{{16}}),([^,]+){f',{_NUMBER}' * 4}{f',{_FLAG}' * 4}"
)


class OidBox(NamedTuple):
    """One row; edges as fractions, unknown flags (-1) as False."""

    class_id: str
    xmin: float
    ymin: float
    xmax: float
    ymax: float
    occluded: bool
    truncated: bool
    group_of: bool
    depiction: bool


def boxes_by_image(path: Path) -> Iterator[tuple[str, list[OidBox]]]:
    """(id, boxes in the order of the file) of each image, sorted by id.

    Raises: ParseError naming the line.
    """
    with tempfile.TemporaryDirectory(prefix="oid_boxes_") as name:
        folder = Path(name)
        _spread(path, folder)
        for bucket in sorted(folder.iterdir()):
            yield from _group(path, bucket)


def _spread(path: Path, folder: Path) -> None:
    """Writes `line,<fields of COLUMNS>` of each row to its image's bucket."""
    buckets: dict[str, list[str]] = {f"{i:02x}": [] for i in range(256)}
    rows = csv_rows(path)
    header = next(rows, (1, []))[1]
    pick, width = _picker(path, header), len(header)
    for count, (line, row) in enumerate(rows, 1):
        fields = ",".join(pick(row)) if len(row) == width else ""
        bucket = buckets.get(fields[:2])
        if bucket is None or "\n" in fields:
            raise _error(path, line, ",".join(row))
        bucket.append(f"{line},{fields}\n")
        if count % _FLUSH_ROWS == 0:
            _flush(buckets, folder)
    _flush(buckets, folder)


def _picker(
    path: Path, header: list[str]
) -> Callable[[list[str]], tuple[str, ...]]:
    """What takes the fields of COLUMNS, in that order, out of a row."""
    if any(header.count(name) != 1 for name in COLUMNS):
        raise ParseError(
            path,
            "line 1",
            f"The header must have each of {', '.join(COLUMNS)} once. "
            f"Received: {','.join(header)[:200]!r}",
        )
    return operator.itemgetter(*map(header.index, COLUMNS))


def _flush(buckets: dict[str, list[str]], folder: Path) -> None:
    # One file is open at a time: some systems allow no more than 256.
    for name, lines in buckets.items():
        if lines:
            with (folder / name).open("ab") as file:
                file.write("".join(lines).encode("utf-8"))
            lines.clear()


def _group(path: Path, bucket: Path) -> Iterator[tuple[str, list[OidBox]]]:
    """Images of one bucket; it is removed to keep the disk free."""
    images: dict[str, list[OidBox]] = {}
    with bucket.open("rb") as file:
        for raw in file:
            image_id, box = _parse(path, raw.decode("utf-8").rstrip("\n"))
            images.setdefault(image_id, []).append(box)
    bucket.unlink()
    yield from sorted(images.items())


def _parse(path: Path, text: str) -> tuple[str, OidBox]:
    match = _ROW.fullmatch(text)
    if match is None:
        line, _, row = text.partition(",")
        raise _error(path, int(line), row)
    image_id, class_id, *numbers = match.groups()
    edges = [float(number) for number in numbers[:4]]
    if min(edges) < -OVERSHOOT or max(edges) > 1 + OVERSHOOT:
        raise ParseError(
            path,
            f"line {text.partition(',')[0]}",
            f"XMin, YMin, XMax and YMax must lie in [0, 1]. Received: {edges}",
        )
    xmin, ymin, xmax, ymax = edges
    flags = [flag == "1" for flag in numbers[4:]]
    return image_id, OidBox(class_id, xmin, ymin, xmax, ymax, *flags)


def _error(path: Path, line: int, row: str) -> ParseError:
    return ParseError(
        path,
        f"line {line}",
        f"A row must have as many fields as the header: an ImageID of 16 hex "
        f"digits in lower case, a LabelName, decimal numbers, and flags that "
        f"are 1, 0 or -1. Received: {row[:200]!r}",
    )
