"""Verb `verify`: whether records keep the rules."""

import argparse
from collections.abc import Iterator

from tfrecords_tools.files import to_path
from tfrecords_tools.label_map import read_label_map
from tfrecords_tools.look.progress import byte_bar
from tfrecords_tools.look.verify import Verdict, Verifier
from tfrecords_tools.record_files import find_record_files

HELP = "check TFRecords against every rule of the TF2 Object Detection API"
DESCRIPTION = """\
Checks TFRecords before a training meets their faults: checksums, missing
shards, keys and types, images that decode and have the stated size, boxes
inside their image, names and ids of the label map, unique source_ids. Prints
the first ten faults and exits with status 1 if there is one.

  verify 'data/pet_*.record-*' --label_map data/pet_label_map.pbtxt"""


def add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "records",
        nargs="+",
        metavar="GLOB",
        help="record files, a pattern; of several splits if you like",
    )
    parser.add_argument(
        "--label_map", type=to_path, required=True, metavar="PBTXT"
    )
    parser.add_argument(
        "--no_decode",
        action="store_true",
        help="read the headers of images only; much faster",
    )
    parser.add_argument(
        "--max_number_of_boxes",
        type=int,
        default=100,
        metavar="N",
        help="of the training; images with more are told (default: 100)",
    )


def run(options: argparse.Namespace) -> int:
    """1 if there is a fault. Raises: ValueError, OSError."""
    label_map = read_label_map(options.label_map, allow_gaps=True)
    paths = find_record_files(options.records)
    verifier = Verifier(
        label_map,
        decode_pixels=not options.no_decode,
        max_number_of_boxes=options.max_number_of_boxes,
    )
    with byte_bar(paths, "verifying") as bar:
        verdict = verifier.verify(paths, bar.update)
    for line in _describe(verdict, options.max_number_of_boxes):
        print(line)
    return 1 if verdict.num_faults else 0


def _describe(verdict: Verdict, limit: int) -> Iterator[str]:
    yield from verdict.faults
    further = verdict.num_faults - len(verdict.faults)
    if further:
        yield f"and {further} more"
    if verdict.num_crowded:
        yield (
            f"notice: {verdict.num_crowded} images have more than {limit} "
            f"boxes, up to {verdict.most_boxes}; a training with "
            f"`max_number_of_boxes: {limit}` cuts them"
        )
    plural = "" if verdict.num_faults == 1 else "s"
    yield (
        f"verified {verdict.images} images, {verdict.boxes} boxes in "
        f"{verdict.files} files: {verdict.num_faults or 'no'} "
        f"fault{plural if verdict.num_faults else ''}"
    )
