"""od-patch profile: what a config's training costs, before it runs."""

from __future__ import annotations

import argparse

from object_detection_patch.cli.options import (
    add_json,
    print_json,
    require_folder,
)


def add(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "profile",
        help="operations and memory of a config's training, layer by layer",
        description="Counts FLOPs forward and backward and the memory of "
        "parameters, kept activations, gradients, optimizer and temporary "
        "values of one training step. Nothing is trained. MB are 10^6 bytes.",
    )
    verb.add_argument(
        "--pipeline_config_path",
        required=True,
        help="pipeline.config, with a patch or without",
    )
    verb.add_argument(
        "--picture", metavar="FILE.png", help="draw memory by layer, too"
    )
    add_json(verb)
    verb.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from object_detection_patch import pictures
    from object_detection_patch.profiling import report, ssd

    if options.picture:
        require_folder(options.picture, option="--picture")
    profile = ssd.profile(options.pipeline_config_path)
    if options.json:
        print_json(report.as_json(profile))
    else:
        print(report.as_text(profile))
    if options.picture:
        title = f"{profile.method}, {profile.batch_size} images"
        flame = pictures.memory_flame(report.memory(profile), title=title)
        pictures.save_png(options.picture, flame)
    return 0
