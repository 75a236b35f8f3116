"""od-patch diff: a patch from a model that was fine-tuned already."""

from __future__ import annotations

import argparse
import dataclasses
import os
from typing import TYPE_CHECKING, Any

from object_detection_patch.cli.options import (
    add_encoding,
    add_json,
    print_json,
    require_folder,
)

if TYPE_CHECKING:
    from object_detection_patch.checkpoints.diff import DiffedPatch
    from object_detection_patch.checkpoints.distill import Distilled


def add(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "diff",
        help="base checkpoint + fine-tuned checkpoint -> patch file",
        description="For a model that was fine-tuned without us. Of each "
        "kernel the patch keeps the sign of the change and one fitted scale; "
        "BatchNorms and heads it keeps as --encoding says. What the signs "
        "lose is reported layer by layer.",
    )
    _add_checkpoints(verb)
    verb.add_argument(
        "--label_map",
        help="label map (.pbtxt) of the task (default: the tuned config's)",
    )
    verb.add_argument("--output", required=True, help="patch file to write")
    add_encoding(verb, default="exact", otherwise="exact")
    verb.add_argument(
        "--distill_records",
        metavar="RECORDS",
        help="TFRecord file or pattern; scales and BatchNorms are fitted on "
        "it to the outputs of the tuned model",
    )
    verb.add_argument(
        "--distill_steps",
        type=int,
        metavar="N",
        help="steps of that fit (default: 200); 0 only measures the outputs",
    )
    add_json(verb)
    verb.set_defaults(run=run)


def _add_checkpoints(verb: argparse.ArgumentParser) -> None:
    for which, whose in (("base", "the base"), ("tuned", "the tuned model")):
        verb.add_argument(
            f"--{which}_checkpoint",
            required=True,
            help=f"checkpoint of {whose}: a directory or a prefix",
        )
        verb.add_argument(
            f"--{which}_config",
            help=f"pipeline.config of {whose} (default: beside its checkpoint)",
        )


def run(options: argparse.Namespace) -> int:
    require_folder(options.output)
    from object_detection_patch.checkpoints import diff
    from object_detection_patch.patch_file import ENCODINGS, write_patch

    diffed = diff.diff(
        options.base_checkpoint,
        options.tuned_checkpoint,
        base_config=options.base_config,
        tuned_config=options.tuned_config,
        label_map=options.label_map,
        distill_records=options.distill_records,
        distill_steps=options.distill_steps,
    )
    write_patch(
        options.output, diffed.patch, encoding=ENCODINGS[options.encoding]
    )
    if options.json:
        print_json(_as_json(diffed, options.output))
    else:
        print(diff.report(diffed, options.output))
    return 0


def _as_json(diffed: DiffedPatch, output: str) -> dict[str, Any]:
    return {
        "output": output,
        "file_bytes": os.path.getsize(output),
        "base_checkpoint": diffed.base_checkpoint,
        "tuned_checkpoint": diffed.tuned_checkpoint,
        "relative_error": diffed.patch.metadata["diff"]["relative_error"],
        "layers": [
            dataclasses.asdict(layer) | {"relative": layer.relative}
            for layer in diffed.layers
        ],
        "distilled": _distilled_json(diffed.distilled),
    }


def _distilled_json(distilled: Distilled | None) -> dict[str, Any] | None:
    if distilled is None:
        return None
    after = distilled.after
    return {
        "steps": distilled.steps,
        "helped": distilled.helped,
        "before": dataclasses.asdict(distilled.before),
        "after": None if after is None else dataclasses.asdict(after),
    }
