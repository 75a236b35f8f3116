"""od-patch publish: a patch made ready for phones."""

from __future__ import annotations

import argparse

from object_detection_patch.cli.options import (
    add_calibration_records,
    add_encoding,
    count,
    require_folder,
)


def add(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "publish",
        help="patch file + base -> the patch that phones fetch",
        description="Packs a patch small, puts the task's labels and model "
        "metadata into it, applies it to base.tflite as a phone would, and "
        "states the SHA-256 of the result in it. A patch for an int8 base "
        "also gets the ranges of its activations. A patch whose images choose "
        "their blocks needs a routing base (export-base --routing).",
    )
    _add_inputs(verb)
    _add_release(verb)
    verb.set_defaults(run=run)


def _add_inputs(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--patch", required=True, help="patch file, of extract or diff"
    )
    verb.add_argument(
        "--base",
        required=True,
        nargs="+",
        metavar="BASE.tflite",
        help="published bases that the patch is for, as export-base wrote "
        "them, sidecars beside them; several, if one base was published in "
        "several precisions",
    )
    verb.add_argument("--output", required=True, help="patch file to write")
    verb.add_argument(
        "--pipeline_config_path",
        help="checkpoint/pipeline.config of the published base; needed for "
        "int8 and for --eval_records",
    )
    verb.add_argument(
        "--checkpoint_dir",
        help="checkpoint/ of the published base; needed for int8",
    )


def _add_release(verb: argparse.ArgumentParser) -> None:
    add_calibration_records(verb)
    verb.add_argument(
        "--calibration_images",
        type=count,
        default=100,
        help="images of it to use (default: 100)",
    )
    add_encoding(
        verb, default=None, otherwise="compact for a file stored so, else small"
    )
    verb.add_argument(
        "--name",
        default="",
        help="of the task, for its model metadata (default: the base's)",
    )
    verb.add_argument(
        "--description",
        default="",
        help="of the task, for its model metadata (default: the base's)",
    )
    verb.add_argument(
        "--sign",
        metavar="KEY.pem",
        help="private Ed25519 key to sign with, as keygen wrote it",
    )
    verb.add_argument(
        "--eval_records",
        help="TFRecord file or pattern; the patched model's mAP is measured "
        "on it",
    )


def run(options: argparse.Namespace) -> int:
    require_folder(options.output)
    from object_detection_patch.export import release

    published = release.publish(
        patch=options.patch,
        bases=options.base,
        output=options.output,
        records=release.TaskRecords(
            pipeline_config_path=options.pipeline_config_path,
            checkpoint_dir=options.checkpoint_dir,
            calibration=options.calibration_records,
            calibration_images=options.calibration_images,
            evaluation=options.eval_records,
        ),
        encoding=options.encoding,
        name=options.name,
        description=options.description,
        sign=options.sign,
    )
    print(release.report(published))
    return 0
