"""od-patch footprint: what a config's patch will cost."""

from __future__ import annotations

import argparse

from object_detection_patch.cli.options import (
    add_json,
    add_pipeline_config,
    print_json,
)


def add(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "footprint",
        help="what a config's patch will cost, before training",
        description="Builds the model and counts. Gated methods are shown "
        "with every gate open and with none.",
    )
    add_pipeline_config(verb)
    verb.add_argument(
        "--bits",
        type=int,
        choices=(32, 8),
        default=32,
        help="bits of a float value; a mask bit is one bit (default: 32)",
    )
    add_json(verb)
    verb.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from object_detection_patch.training import cost_report

    counted = cost_report.count(options.pipeline_config_path, options.bits)
    if options.json:
        print_json(counted)
    else:
        print(cost_report.as_text(counted))
    return 0
