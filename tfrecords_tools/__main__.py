"""Command line: python -m tfrecords_tools <verb>."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from tqdm import tqdm

from tfrecords_tools.synthetic import (
    WORLDS,
    DatasetFiles,
    write_demo_datasets,
)

_DEMO_HELP = """\
Draws three small detection datasets and writes them as TFRecords of the TF2
Object Detection API, each with a train and an eval split, a label map and a
contact sheet:

  OUTPUT_DIR/shapes/    source: drawn shapes in varied colour and light
  OUTPUT_DIR/stripes/   near task: some of the shapes, as printed cloth
  OUTPUT_DIR/digits/    far task: digits in pen strokes on noisy paper

Equal options give equal bytes. Files that exist are replaced."""


class _Parser(argparse.ArgumentParser):
    """Refuses with a single line; the usage is one `--help` away."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message} (see --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 done, 1 a file could not be written; 2 bad arguments."""
    parser = _make_parser()
    options = parser.parse_args(arguments)
    try:
        written = _synthesize_demo(options)
    except ValueError as error:
        parser.error(str(error))
    except OSError as error:
        print(f"{parser.prog}: error: {error}", file=sys.stderr)
        return 1
    for files in written.values():
        _print_summary(files)
    return 0


def _make_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m tfrecords_tools",
        description="Makes TFRecords for the TF2 Object Detection API.",
        allow_abbrev=False,
    )
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    synthesize = verbs.add_parser(
        "synthesize",
        help="draw small datasets; nothing is downloaded",
        description=_DEMO_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    synthesize.add_argument(
        "what", choices=["demo"], help="demo: the three datasets above"
    )
    synthesize.add_argument("--output_dir", type=Path, required=True)
    _add_integer(synthesize, "images", 600, "train images per dataset")
    _add_integer(synthesize, "eval_images", 200, "eval images per dataset")
    _add_integer(synthesize, "size", 96, "side of an image in pixels")
    _add_integer(synthesize, "seed", 7, "what all randomness derives from")
    return parser


def _add_integer(
    parser: argparse.ArgumentParser, name: str, default: int, text: str
) -> None:
    parser.add_argument(
        f"--{name}",
        type=int,
        default=default,
        metavar="N",
        help=f"{text} (default: {default})",
    )


def _synthesize_demo(options: argparse.Namespace) -> dict[str, DatasetFiles]:
    total = len(WORLDS) * (options.images + options.eval_images)
    with tqdm(desc="drawing", total=total, unit="image", leave=False) as bar:
        return write_demo_datasets(
            options.output_dir,
            images=options.images,
            eval_images=options.eval_images,
            size=options.size,
            seed=options.seed,
            progress=bar.update,
        )


def _print_summary(files: DatasetFiles) -> None:
    print(f"{files.key}: {files.num_classes} classes")
    print(f"  train     {files.train}")
    print(f"  eval      {files.eval}")
    print(f"  label map {files.label_map}")
    print(f"  look at   {files.contact_sheet}")


if __name__ == "__main__":
    sys.exit(main())
