"""od-patch extract: from a training to a patch file."""

from __future__ import annotations

import argparse
from typing import Any

from object_detection_patch.cli.options import (
    add_encoding,
    add_pipeline_config,
    require_folder,
)

# Of --value_type and --compression.
_DEFAULTS = ("float32", "none")


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
        otherwise="what --value_type and --compression say; compact for heads "
        "trained on a grid, as COMPACT's, or with target_file_bytes",
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
    from object_detection_patch.patch_file import to_bytes
    from object_detection_patch.patch_file.whole_file import write_whole

    require_folder(options.output)
    trained = extract.extract(
        options.pipeline_config_path, options.checkpoint_dir
    )
    method = trained.model.patch
    target = method.target_file_bytes
    for_compact = target is not None or _has_gridded_heads(method)
    data = to_bytes(trained.patch, **_stored(options, for_compact))
    _refuse_above_target(len(data), target)
    write_whole(options.output, data)
    print(extract.report(trained, options.output))
    return 0


def _stored(options: argparse.Namespace, for_compact: bool) -> dict[str, Any]:
    """How numbers are stored: as asked, or as they were trained to be."""
    from object_detection_patch.patch_file import ENCODINGS

    written = (options.value_type, options.compression)
    encoding = options.encoding
    if for_compact and written == _DEFAULTS:
        encoding = encoding or "compact"
    return {
        "value_type": options.value_type,
        "compression": options.compression,
        "encoding": ENCODINGS.get(encoding),
    }


def _has_gridded_heads(method: Any) -> bool:
    """Others' heads would be rounded, in a way that they did not train for."""
    from object_detection_patch.hosts import HEADS
    from object_detection_patch.patch_file import edits

    return any(edits.place_of(name) in HEADS for name in method.grid_bits())


def _refuse_above_target(size: int, target: int | None) -> None:
    if target is not None and size > target:
        raise ValueError(
            "A config's `target_file_bytes` counts numbers as `--encoding "
            "compact` stores them; leave out `--encoding`, `--value_type` and "
            f"`--compression`. Received: options that give {size:,} bytes for "
            f"a target of {target:,}."
        )


def _refuse_two_encodings(options: argparse.Namespace) -> None:
    written = (options.value_type, options.compression)
    if options.encoding and written != _DEFAULTS:
        raise ValueError(
            "`--encoding` says how numbers are stored; leave out "
            "`--value_type` and `--compression`. Received: "
            f"{options.encoding} beside {written[0]} and {written[1]}."
        )
