"""od-patch draw: detections in photographs."""

from __future__ import annotations

import argparse

from object_detection_patch.cli.options import require_folder


def add(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "draw",
        help="draw what a model detects in photographs",
        description="Takes the config and checkpoint of a base, of a training "
        "or of a merged model.",
    )
    verb.add_argument("--pipeline_config_path", required=True)
    verb.add_argument("--checkpoint_dir", required=True)
    verb.add_argument(
        "--images", required=True, nargs="+", help="JPEG or PNG files"
    )
    verb.add_argument("--output", required=True, help="PNG file to write")
    verb.add_argument("--min_score", type=float, default=0.4)
    verb.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from object_detection_patch import draw

    require_folder(options.output)
    count = draw.draw(
        pipeline_config_path=options.pipeline_config_path,
        checkpoint_dir=options.checkpoint_dir,
        images=options.images,
        output=options.output,
        min_score=options.min_score,
    )
    print(f"{options.output}: {count} images")
    return 0
