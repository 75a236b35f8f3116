"""Verb `stats`: figures about what records hold."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from tfrecords_tools.atomic import replace_together
from tfrecords_tools.files import to_path
from tfrecords_tools.label_map import read_label_map
from tfrecords_tools.look.progress import byte_bar
from tfrecords_tools.look.stats import Statistics
from tfrecords_tools.look.table import format_table
from tfrecords_tools.reader import read_examples
from tfrecords_tools.record_files import find_record_files, find_shard_faults

HELP = "count images, boxes, classes and sizes in TFRecords"
DESCRIPTION = """\
Counts what TFRecords hold: images, boxes per class and per image, flags, sizes
of boxes and images. Images are not decoded. The records may come from any
tool.

  stats 'data/pet_train.record-?????-of-00010' --json pet.json"""


def add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "records", nargs="+", metavar="GLOB", help="record files, a pattern"
    )
    parser.add_argument(
        "--label_map",
        type=to_path,
        metavar="PBTXT",
        help="shows display names, and classes without a box too",
    )
    parser.add_argument(
        "--max_number_of_boxes",
        type=int,
        default=100,
        metavar="N",
        help="of the training, which cuts what is beyond (default: 100)",
    )
    parser.add_argument(
        "--json", type=to_path, metavar="FILE", help="write all figures there"
    )


def run(options: argparse.Namespace) -> int:
    """Raises: ValueError, OSError."""
    if options.max_number_of_boxes < 1:
        raise ValueError(
            f"`--max_number_of_boxes` must be 1 or more. Received: "
            f"{options.max_number_of_boxes}"
        )
    paths = find_record_files(options.records)
    for line in find_shard_faults(paths):
        print(f"warning: {line}", file=sys.stderr)
    summary = _summarize(paths, options)
    if options.json is not None:
        _write_json(options.json, summary)
    print(format_table(summary))
    return 0


def _summarize(
    paths: list[Path], options: argparse.Namespace
) -> dict[str, Any]:
    items = []
    if options.label_map is not None:
        items = read_label_map(options.label_map, allow_gaps=True)
    statistics = Statistics(
        items, max_number_of_boxes=options.max_number_of_boxes
    )
    with byte_bar(paths, "reading") as bar:
        for path in paths:
            for example in read_examples(path, bar.update):
                statistics.add(example)
    return statistics.summary(
        file_bytes=sum(path.stat().st_size for path in paths)
    )


def _write_json(path: Path, summary: dict[str, Any]) -> None:
    text = json.dumps(summary, ensure_ascii=False, indent=2)
    with replace_together([path]) as (file,):
        file.write(f"{text}\n".encode())
