"""Verb `view`: a picture of what records hold."""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from tfrecords_tools.files import to_path
from tfrecords_tools.label_map import read_label_map
from tfrecords_tools.look.choose import (
    Example,
    choose_at_random,
    choose_first,
)
from tfrecords_tools.look.progress import byte_bar
from tfrecords_tools.look.seen import ClassNames, read_boxes
from tfrecords_tools.look.view import write_sheet
from tfrecords_tools.reader import read_examples
from tfrecords_tools.record_files import find_record_files, find_shard_faults

HELP = "draw images of TFRecords with their boxes"
DESCRIPTION = """\
Draws images of TFRecords with boxes, class names and flags on one PNG. The
records may come from any tool. An image that does not decode shows as a red
square with the reason.

  view 'data/pet_train.record-?????-of-00010' --output pet.png"""

_MAX_IMAGES = 1000
_MIN_TILE, _MAX_TILE = 48, 2048
# What a sheet of all tiles may take in memory, three bytes each.
_MAX_PIXELS = 2**28


def add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "records", nargs="+", metavar="GLOB", help="record files, a pattern"
    )
    parser.add_argument("--output", type=to_path, required=True, metavar="PNG")
    parser.add_argument(
        "--images",
        type=int,
        default=24,
        metavar="N",
        help="number of images (default: 24)",
    )
    start = parser.add_mutually_exclusive_group()
    start.add_argument(
        "--offset",
        type=int,
        default=0,
        metavar="N",
        help="images to leave out at the start (default: 0)",
    )
    start.add_argument(
        "--seed",
        type=int,
        metavar="N",
        help="draw lots among all images instead; reads all files",
    )
    parser.add_argument(
        "--only_flagged",
        action="store_true",
        help="images with a difficult, truncated, occluded, crowd or group box",
    )
    parser.add_argument(
        "--label_map",
        type=to_path,
        metavar="PBTXT",
        help="names for records that have only labels, and the reverse",
    )
    parser.add_argument(
        "--columns",
        type=int,
        metavar="N",
        help="images in a row (default: by their number)",
    )
    parser.add_argument(
        "--tile",
        type=int,
        default=256,
        metavar="PIXELS",
        help="square that an image is scaled to fit (default: 256)",
    )


def run(options: argparse.Namespace) -> int:
    """Raises: ValueError, OSError."""
    _check(options)
    paths = find_record_files(options.records)
    for line in find_shard_faults(paths):
        print(f"warning: {line}", file=sys.stderr)
    items = []
    if options.label_map is not None:
        items = read_label_map(options.label_map, allow_gaps=True)
    classes = ClassNames(items)
    examples = _choose(paths, options, classes)
    if not examples:
        raise ValueError(f"No image to draw was found in {len(paths)} files.")
    broken = write_sheet(
        options.output,
        examples,
        side=options.tile,
        columns=options.columns,
        classes=classes,
    )
    print(f"wrote {options.output}: {len(examples)} images, {broken} broken")
    return 0


def _check(options: argparse.Namespace) -> None:
    _check_range("images", options.images, 1, _MAX_IMAGES)
    _check_range("tile", options.tile, _MIN_TILE, _MAX_TILE)
    _check_range("offset", options.offset, 0, None)
    if options.columns is not None:
        _check_range("columns", options.columns, 1, _MAX_IMAGES)
    if options.images * options.tile**2 > _MAX_PIXELS:
        raise ValueError(
            f"A sheet must have no more than {_MAX_PIXELS // 10**6} million "
            f"pixels. Received: {options.images} `--images` with `--tile` "
            f"{options.tile}"
        )


def _check_range(flag: str, value: int, low: int, high: int | None) -> None:
    if value < low or (high is not None and value > high):
        rule = (
            f"be {low} or more" if high is None else f"lie in [{low}, {high}]"
        )
        raise ValueError(f"`--{flag}` must {rule}. Received: {value}")


def _choose(
    paths: list[Path], options: argparse.Namespace, classes: ClassNames
) -> list[Example]:
    def keep(example: Example) -> bool:
        return not options.only_flagged or _is_flagged(example, classes)

    with byte_bar(paths, "reading") as bar:
        examples = _read(paths, bar.update)
        if options.seed is not None:
            return choose_at_random(
                examples, options.images, seed=options.seed, keep=keep
            )
        return choose_first(
            examples, options.images, offset=options.offset, keep=keep
        )


def _read(
    paths: Iterable[Path], progress: Callable[[int], object]
) -> Iterator[Example]:
    for path in paths:
        yield from read_examples(path, progress)


def _is_flagged(example: Example, classes: ClassNames) -> bool:
    try:
        boxes = read_boxes(example, classes)
    except ValueError:
        return False
    return any(box.is_flagged for box in boxes)
