"""od-patch demo: the whole way on drawn data."""

from __future__ import annotations

import argparse


def add(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "demo",
        help="the whole way on data it draws itself, with a table at the end",
        description="Draws a source and two target tasks, trains a base, "
        "publishes it for phones, trains patches and fine-tuned models, "
        "extracts, merges, evaluates, and runs base.tflite with each patch "
        "applied.",
    )
    verb.add_argument("--output_dir", default="demo_output")
    verb.add_argument("--seed", type=int, default=7)
    verb.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from object_detection_patch import demo

    return demo.run(options.output_dir, seed=options.seed)
