"""What to do about a data set that is missing."""

from __future__ import annotations

import argparse

from object_detection_patch.decathlon.running.folder import Folder


def how_to_convert(folder: Folder, key: str) -> str:
    """How the records of a task come to be, and what that still lacks.

    Names the command, and the first file and archive that the converter
    misses in `<data>/<key>`.
    """
    from tfrecords_tools.converters import converters
    from tfrecords_tools.errors import DatasetError

    kind = converters().get(key)
    if kind is None:
        return "Put them there, or correct the suite's file."
    native = folder.data / key
    text = (
        f"`python -m tfrecords_tools convert {key} --data_dir {native} "
        f"--output_dir {folder.data}` makes them of the data set as its "
        "archives unpack it"
    )
    parser = argparse.ArgumentParser()
    kind.add_flags(parser)
    try:
        kind(native, parser.parse_args([]))
    except DatasetError as error:
        return f"{text}, which is not there yet: {error}"
    return f"{text}, which is there."
