"""Label files of KITTI's object benchmark: one object of 15 fields a line.

    type truncated occluded alpha left top right bottom
    height width length x y z rotation_y

Distances are in metres, angles in radians, edges in pixels from 0.
"""

import dataclasses
import math
import re
from collections.abc import Iterator
from pathlib import Path

from tfrecords_tools.errors import ParseError
from tfrecords_tools.formats.text import numbered_lines

CLASSES = ("car", "pedestrian")
REGION = "dontcare"
_OTHERS = ("van", "truck", "person_sitting", "cyclist", "tram", "misc")
_TYPES = (*CLASSES, *_OTHERS, REGION)
_NUM_FIELDS = 15
_NUMBER = re.compile(
    r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII
)
_LABEL_FILE = re.compile(r"[0-9]{6}\.txt", re.ASCII)


@dataclasses.dataclass(frozen=True, slots=True)
class KittiObject:
    """A line of a label file.

    Args:
        kind: type in lower case; "dontcare" is a region, not an object.
        truncation: share outside the picture, 0 to 1; -1 for a region.
        occlusion: 0 visible, 1 partly, 2 largely hidden, 3 unknown; -1 for
            a region. Checked, like truncation, for `CLASSES` only.
        alpha: observation angle in radians.
        edges: left, top, right, bottom in pixels.
        measures: height, width, length, x, y, z in metres; rotation_y.
    """

    kind: str
    truncation: float
    occlusion: int
    alpha: float
    edges: tuple[float, ...]
    measures: tuple[float, ...]


def read_kitti_labels(path: Path) -> list[KittiObject]:
    """Objects and regions in the order of the file; there may be none.

    Raises: ParseError naming the line for whatever is not as specified.
    """
    return [_row(path, *numbered) for numbered in numbered_lines(path)]


def label_files(folder: Path) -> Iterator[Path]:
    """Files of the folder by number; hidden ones are none of the dataset's.

    Raises: ParseError for a text file that is named otherwise.
    """
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        if path.name.startswith(".") or path.suffix != ".txt":
            continue
        if not _LABEL_FILE.fullmatch(path.name):
            raise ParseError(
                path,
                "",
                f"A label file's name must be six digits and `.txt`. "
                f"Received: {path.name[:80]!r}",
            )
        yield path


def _row(path: Path, number: int, line: str) -> KittiObject:
    where = f"line {number}"
    kind, *texts = line.split()
    if kind.lower() not in _TYPES:
        raise ParseError(
            path,
            where,
            f"An object's type must be one of {', '.join(_TYPES)}, in upper "
            f"or lower case. Received: {kind[:80]!r}",
        )
    if len(texts) != _NUM_FIELDS - 1:
        raise ParseError(
            path,
            where,
            f"An object must have {_NUM_FIELDS} fields (a 16th, the score, is "
            f"found in results only). Received: {len(texts) + 1}",
        )
    values = [_number(path, where, text) for text in texts]
    row = KittiObject(
        kind=kind.lower(),
        truncation=values[0],
        occlusion=int(values[1]),
        alpha=values[2],
        edges=tuple(values[3:7]),
        measures=tuple(values[7:]),
    )
    if row.kind in CLASSES:
        _check_flags(path, where, row.truncation, values[1])
    return row


def _number(path: Path, where: str, text: str) -> float:
    if not _NUMBER.fullmatch(text) or not math.isfinite(float(text)):
        raise ParseError(
            path,
            where,
            f"Fields after the type must be finite numbers. Received: "
            f"{text[:40]!r}",
        )
    return float(text)


def _check_flags(
    path: Path, where: str, truncation: float, occlusion: float
) -> None:
    if occlusion not in (0, 1, 2, 3):
        raise ParseError(
            path,
            where,
            f"The third field, `occluded`, must be 0, 1, 2 or 3. Received: "
            f"{occlusion}",
        )
    if not 0 <= truncation <= 1:
        raise ParseError(
            path,
            where,
            f"The second field, `truncated`, must lie between 0 and 1. "
            f"Received: {truncation}",
        )
