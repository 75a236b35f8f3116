"""convert: a dataset as its authors ship it, to TFRecords."""

import argparse
import contextlib
import os
import sys
import time
from collections.abc import Iterator

from tqdm import tqdm

from tfrecords_tools.boxes import BoxConvention
from tfrecords_tools.conversion import Choices, convert
from tfrecords_tools.converters import SPLITS, Converter, converters
from tfrecords_tools.errors import MissingDataError, UsageError
from tfrecords_tools.files import to_path
from tfrecords_tools.prepare import Rules
from tfrecords_tools.report import describe

HELP = "annotations and images of a public dataset to TFRecords"
DESCRIPTION = """\
Converts a dataset, as its authors ship it, to TFRecords of the TF2 Object
Detection API. `convert DATASET --help` tells what each dataset asks for.

Writes to OUTPUT_DIR, for each split:

  <dataset>_<split>.record-00000-of-00010 ...   the records
  <dataset>_<split>_report.json                 everything that was counted
  <dataset>_label_map.pbtxt                     classes, shared by the splits

Files take their names when all are complete. A run that was stopped goes on
with the shards that are missing, and equal options give equal bytes."""


def add_flags(parser: argparse.ArgumentParser) -> None:
    """One sub-parser a dataset, each with the common flags and its own."""
    datasets = parser.add_subparsers(
        metavar="DATASET", required=True, dest="dataset"
    )
    for key, converter in converters().items():
        dataset = datasets.add_parser(
            key,
            help=converter.title,
            description=f"Converts {converter.title}. {_sizes(converter)}",
            allow_abbrev=False,
        )
        _add_common_flags(dataset, converter)
        converter.add_flags(dataset)


def run(options: argparse.Namespace) -> int:
    """Converts the split asked for, or both."""
    for flag in ("data_dir", "output_dir"):
        if not getattr(options, flag):
            raise UsageError(f"`--{flag}` must name a folder. Received: ''")
    choices = _choices(options)
    kind = converters()[options.dataset]
    converter = kind(to_path(options.data_dir), _own_options(kind, options))
    for split in _splits(converter, options.split):
        started = time.monotonic()
        with _Bar() as bar, _naming(options.output_dir):
            report = convert(
                converter,
                split,
                to_path(options.output_dir),
                choices,
                bar,
            )
        if not bar.has_converted:
            print(f"{options.dataset} {split}: nothing to do, it was complete")
            if report.counts.unusable:
                print("  --overwrite tries again what was left out")
        for line in describe(report):
            print(line)
        seconds = time.monotonic() - started
        print(
            f"  {options.output_dir}/{report.shards[0]} ... ({seconds:.0f} s)"
        )
    return 0


@contextlib.contextmanager
def _naming(output_dir: str) -> Iterator[None]:
    """Says of a disk that is full which one it is."""
    try:
        yield
    except OSError as error:
        if error.filename is not None:
            raise
        raise OSError(error.errno, error.strerror, output_dir) from error


class _Bar:
    """Progress on standard error: images and images/s."""

    def __init__(self) -> None:
        self._bar: tqdm | None = None
        self.has_converted = False

    def __enter__(self) -> "_Bar":
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def start(self, activity: str, total: int | None) -> None:
        self._close()
        # The phase of the annotations has no total.
        self.has_converted = total is not None
        self._bar = tqdm(
            desc=activity, total=total, unit=" images", leave=False
        )

    def advance(self, images: int) -> None:
        if self._bar is not None:
            self._bar.update(images)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()


def _sizes(converter: type[Converter]) -> str:
    known = [
        f"{split}: {number:,} images"
        for split, number in converter.expected_images.items()
        if number is not None
    ]
    return "; ".join(known) or "Splits have as many images as are found."


def _add_common_flags(
    parser: argparse.ArgumentParser, converter: type[Converter]
) -> None:
    parser.add_argument(
        "--data_dir",
        required=True,
        metavar="DIR",
        help="the dataset as its archives unpack",
    )
    parser.add_argument(
        "--output_dir", required=True, metavar="DIR", help="made if absent"
    )
    parser.add_argument("--split", choices=SPLITS, help="default: both")
    shards = ", ".join(f"{s}: {n}" for s, n in converter.num_shards.items())
    parser.add_argument(
        "--num_shards",
        type=int,
        metavar="N",
        help=f"files a split (default: {shards})",
    )
    parser.add_argument(
        "--box_convention",
        choices=[convention.value for convention in BoxConvention],
        default=BoxConvention.STRICT.value,
        help="strict (default): annotations that count pixels from 1 become "
        "continuous edges; odapi: numbers over size, as the OD API's own "
        "converters write them; one pixel at most lies between the two",
    )
    parser.add_argument(
        "--max_side",
        type=int,
        metavar="PX",
        help="scale larger images down to this (default: keep the bytes)",
    )
    parser.add_argument(
        "--allow_count_mismatch",
        action="store_true",
        help="convert a part of the dataset, and leave unreadable images out",
    )
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="replace the records of an earlier conversion",
    )
    parser.add_argument(
        "--jobs",
        type=int,
        default=os.cpu_count() or 1,
        metavar="N",
        help="processes (default: %(default)s, one a core)",
    )
    parser.add_argument(
        "--runner",
        metavar="NAME",
        help="run on Apache Beam: DirectRunner, DataflowRunner, FlinkRunner, "
        "SparkRunner, ...; flags after -- go to Beam unchanged. Default: "
        "processes of this machine, which start at once; the bytes are the "
        "same",
    )
    parser.add_argument(
        "beam_flags", nargs="*", metavar="-- BEAM_FLAGS", help="see --runner"
    )


def _own_options(
    kind: type[Converter], options: argparse.Namespace
) -> argparse.Namespace:
    """Values of the converter's own flags alone."""
    own = argparse.ArgumentParser()
    kind.add_flags(own)
    names = vars(own.parse_args([]))
    return argparse.Namespace(
        **{name: getattr(options, name) for name in names}
    )


def _choices(options: argparse.Namespace) -> Choices:
    for flag in ("max_side", "jobs", "num_shards"):
        value = getattr(options, flag)
        if value is not None and value < 1:
            raise UsageError(f"`--{flag}` must be 1 or more. Received: {value}")
    return Choices(
        num_shards=options.num_shards,
        rules=Rules(
            convention=BoxConvention(options.box_convention),
            max_side=options.max_side,
        ),
        allow_count_mismatch=options.allow_count_mismatch,
        overwrite=options.overwrite,
        may_replace_label_map=options.overwrite and options.split is None,
        jobs=options.jobs,
        beam_arguments=_beam_arguments(options),
    )


def _beam_arguments(options: argparse.Namespace) -> list[str] | None:
    if options.runner is not None:
        return [f"--runner={options.runner}", *options.beam_flags]
    if options.beam_flags:
        raise UsageError(
            f"Flags for Apache Beam need `--runner`. Received: "
            f"{' '.join(options.beam_flags)}"
        )
    return None


def _splits(converter: Converter, wanted: str | None) -> Iterator[str]:
    """The split asked for, or all, each checked before the first is written.

    Raises: MissingDataError for a split that nobody would leave out by
        intention.
    """
    if wanted is not None:
        return iter((wanted,))
    for split in SPLITS:
        if split not in converter.splits and split in converter.optional_splits:
            print(f"{converter.key}: no {split} split here", file=sys.stderr)
            continue
        try:
            converter.check_split(split)
        except MissingDataError as error:
            (other,) = set(SPLITS) - {split}
            raise MissingDataError(
                f"{error}; to do without the {split} split, add --split {other}"
            ) from error
    return iter(converter.splits)
