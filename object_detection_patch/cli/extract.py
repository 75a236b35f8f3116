"""od-patch extract: from a training to a patch file."""

from __future__ import annotations

import argparse

from object_detection_patch.cli.options import (
    add_encoding,
    add_pipeline_config,
    require_folder,
)


def add(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "extract",
        help="training checkpoint -> patch file",
        description="Writes what a task adds to its base model as one file. "
        "The file is written beside the target and renamed when complete.",
    )
    add_pipeline_config(verb)
    verb.add_argument(
        "--checkpoint_dir",
        required=True,
        help="model directory of the training (its newest checkpoint is "
        "taken), or the prefix of one checkpoint",
    )
    verb.add_argument("--output", required=True, help="patch file to write")
    add_encoding(
        verb,
        default=None,
        otherwise="what --value_type and --compression say",
    )
    verb.add_argument(
        "--value_type",
        choices=("float32", "float16"),
        default="float32",
        help="how BatchNorm and heads are stored (default: float32)",
    )
    verb.add_argument(
        "--compression",
        choices=("none", "zlib"),
        default="none",
        help="entropy coding of the sections (default: none)",
    )
    verb.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    _refuse_two_encodings(options)
    from object_detection_patch.checkpoints import extract
    from object_detection_patch.patch_file import ENCODINGS, write_patch

    require_folder(options.output)
    trained = extract.extract(
        options.pipeline_config_path, options.checkpoint_dir
    )
    write_patch(
        options.output,
        trained.patch,
        value_type=options.value_type,
        compression=options.compression,
        encoding=ENCODINGS.get(options.encoding),
    )
    print(extract.report(trained, options.output))
    return 0


def _refuse_two_encodings(options: argparse.Namespace) -> None:
    written = (options.value_type, options.compression)
    if options.encoding and written != ("float32", "none"):
        raise ValueError(
            "`--encoding` says how numbers are stored; leave out "
            "`--value_type` and `--compression`. Received: "
            f"{options.encoding} beside {written[0]} and {written[1]}."
        )
