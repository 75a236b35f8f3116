"""One PNG that shows many drawn images with their boxes and names."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tfrecords_tools import tf_example
from tfrecords_tools.example import Example
from tfrecords_tools.label_map import LabelMapItem
from tfrecords_tools.look.seen import ClassNames
from tfrecords_tools.look.view import write_sheet
from tfrecords_tools.reader import parse_example

_SIDE = 192
_COLUMNS = 6


def write_contact_sheet(
    path: Path, examples: Sequence[Example], label_map: Sequence[LabelMapItem]
) -> None:
    """Draws the examples as `python -m tfrecords_tools view` draws records.

    Raises: ValueError if there is no example.
    """
    write_sheet(
        path,
        [_as_read(example) for example in examples],
        side=_SIDE,
        columns=_COLUMNS,
        classes=ClassNames(label_map),
    )


def _as_read(example: Example) -> dict[str, list[Any]]:
    """The example as if it came out of a record file."""
    columns = parse_example(tf_example.serialize(example))
    return {key: column.values for key, column in columns.items()}
