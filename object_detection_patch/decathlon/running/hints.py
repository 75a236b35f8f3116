"""What to do about a data set that is missing."""

from __future__ import annotations

import argparse
import pathlib
import shlex
import tempfile
from typing import Any

from object_detection_patch.decathlon.running.folder import Folder


def how_to_convert(folder: Folder, key: str) -> str:
    """How the records of a task come to be, and what that still lacks.

    Names the command, and the first file and archive that the converter
    misses in `<data>/<key>`.
    """
    # Of an extra that suites of one's own records do without.
    from tfrecords_tools.converters import converters
    from tfrecords_tools.errors import DatasetError

    kind = converters().get(key)
    if kind is None:
        return "Put them there, or correct the suite's file."
    native = folder.data / key
    command = shlex.join(
        [
            *("python", "-m", "tfrecords_tools", "convert", key),
            *("--data_dir", str(native), "--output_dir", str(folder.data)),
        ]
    )
    text = f"`{command}` makes them of the data set as its archives unpack it"
    with tempfile.TemporaryDirectory() as empty:
        # Of a folder that is not there, a converter says no more than that.
        place = native if native.is_dir() else pathlib.Path(empty)
        try:
            _look(kind, place)
        except (DatasetError, OSError) as error:
            lacks = str(error).replace(empty, str(native))
            return f"{text}, which is not there yet: {lacks}"
    return f"{text}, which is there."


def _look(kind: Any, place: pathlib.Path) -> None:
    """Raises DatasetError, naming what a converter misses there."""
    from tfrecords_tools.converters import SPLITS

    parser = argparse.ArgumentParser()
    kind.add_flags(parser)
    converter = kind(place, parser.parse_args([]))
    # Those that are there may take minutes to be read.
    for split in set(SPLITS) - set(converter.splits):
        converter.check_split(split)
