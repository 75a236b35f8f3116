"""synthesize: datasets drawn from a seed."""

import argparse
import os
from pathlib import Path

from tqdm import tqdm

from tfrecords_tools.processes import make_pool
from tfrecords_tools.synthetic import (
    WORLDS,
    DatasetFiles,
    write_demo_datasets,
)
from tfrecords_tools.synthetic.miniatures import (
    Sizes,
    write_miniature,
)
from tfrecords_tools.synthetic.ranges import check_range
from tfrecords_tools.synthetic.worlds import worlds

_DEMO, _ALL = "demo", "all"
HELP = "draw small datasets; nothing is downloaded"
DESCRIPTION = """\
Draws small detection datasets. Equal options give equal bytes.

synthesize all, or one of the keys: miniatures of the decathlon's ten datasets,
each in OUTPUT_DIR/<key>/ in the layout of the real one, for
`convert <key> --data_dir OUTPUT_DIR/<key> --allow_count_mismatch`. Each world
is described in tfrecords_tools/synthetic/worlds/<key>.py.

synthesize demo: three datasets as TFRecords, each with a train and an eval
split, a label map and a contact sheet; files that exist are replaced:

  OUTPUT_DIR/shapes/    source: drawn shapes in varied colour and light
  OUTPUT_DIR/stripes/   near task: some of the shapes, as printed cloth
  OUTPUT_DIR/digits/    far task: digits in pen strokes on noisy paper"""


def add_flags(parser: argparse.ArgumentParser) -> None:
    """What to draw, how much of it, and how large."""
    parser.add_argument(
        "what",
        choices=[_DEMO, _ALL, *worlds()],
        help="demo: the three datasets above; all: ten miniatures; or one",
    )
    parser.add_argument("--output_dir", type=Path, required=True)
    _add_integer(parser, "images", 600, "train images per dataset")
    _add_integer(parser, "eval_images", 200, "eval images per dataset")
    _add_integer(parser, "size", 96, "side of an image in pixels")
    _add_integer(
        parser, "jobs", os.cpu_count() or 1, "processes for miniatures"
    )
    _add_integer(parser, "seed", 7, "what all randomness derives from")


def run(options: argparse.Namespace) -> int:
    """Draws, and says where everything is."""
    check_range("jobs", options.jobs, 1, 1000)
    if options.what == _DEMO:
        _draw_demo(options)
    else:
        _draw_miniatures(options)
    return 0


def _draw_demo(options: argparse.Namespace) -> None:
    total = len(WORLDS) * (options.images + options.eval_images)
    with tqdm(desc="drawing", total=total, unit="image", leave=False) as bar:
        written = write_demo_datasets(
            options.output_dir,
            images=options.images,
            eval_images=options.eval_images,
            size=options.size,
            seed=options.seed,
            progress=bar.update,
        )
    for files in written.values():
        _print_summary(files)


def _draw_miniatures(options: argparse.Namespace) -> None:
    keys = list(worlds()) if options.what == _ALL else [options.what]
    sizes = Sizes(
        images=options.images,
        eval_images=options.eval_images,
        side=options.size,
        seed=options.seed,
    )
    total = len(keys) * (options.images + options.eval_images)
    with (
        make_pool(options.jobs) as pool,
        tqdm(desc="drawing", total=total, unit=" images", leave=False) as bar,
    ):
        for key in keys:
            sheet = write_miniature(
                key, options.output_dir, sizes, pool, progress=bar.update
            )
            bar.write(f"{key}: {options.output_dir / key}, look at {sheet}")


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


def _print_summary(files: DatasetFiles) -> None:
    print(f"{files.key}: {files.num_classes} classes")
    print(f"  train     {files.train}")
    print(f"  eval      {files.eval}")
    print(f"  label map {files.label_map}")
    print(f"  look at   {files.contact_sheet}")
