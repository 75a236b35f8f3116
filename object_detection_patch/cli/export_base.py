"""od-patch export-base: a base published once, for all its tasks."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from object_detection_patch.cli.options import (
    add_calibration_records,
    count,
    image_size,
)

if TYPE_CHECKING:
    from object_detection_patch.export.policy_graph import PolicySize

# As `policy` in protos/patch.proto.
_POLICY_BLOCKS = 3
_POLICY_CHANNELS = 8


def add(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "export-base",
        help="base checkpoint -> base.tflite and its sidecar, once per base",
        description="Writes base.tflite, post-processing, metadata and labels "
        "included, and base.odpatch, the sidecar with what applying a patch "
        "needs to know. What cannot survive folding, such as tiny gammas, is "
        "mended first and reported. Train the tasks after this, against the "
        "base as published.",
    )
    verb.add_argument(
        "--pipeline_config_path",
        required=True,
        help="pipeline.config of the base",
    )
    verb.add_argument(
        "--checkpoint_dir",
        required=True,
        help="the base's checkpoint: a directory or a prefix",
    )
    verb.add_argument(
        "--output_dir", required=True, help="new or empty directory"
    )
    _add_outputs(verb)
    _add_precision(verb)
    _add_routing(verb)
    verb.add_argument(
        "--eval_records",
        help="TFRecord file or pattern; the change in mAP is measured on it",
    )
    verb.set_defaults(run=run)


def _add_outputs(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--resolutions",
        nargs="+",
        type=image_size,
        metavar="SIDE",
        default=(),
        help="image sizes that patches may have, of `train-multitask "
        "--resolutions`: pixels of a side, or HEIGHTxWIDTH. base.tflite has "
        "the config's own, which must be one of them; the sidecar tells how "
        "the others differ, so that an app ships one base. Each size takes "
        "as long as an export of its own. Not with int8",
    )
    verb.add_argument(
        "--max_classes",
        type=count,
        default=1000,
        help="the most classes that a patch may have (default: 1000)",
    )
    verb.add_argument(
        "--max_detections",
        type=count,
        help="detections that the model returns for an image (default: 10, "
        "as of the OD API's exporter)",
    )
    verb.add_argument(
        "--regular_nms",
        action="store_true",
        help="the model suppresses boxes class by class, as the OD API's "
        "evaluation does: slower and more accurate than the exporter's "
        "default, which keeps one class for each anchor",
    )


def _add_precision(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--precision",
        choices=("float32", "float16", "int8"),
        default="float32",
        help="how base.tflite and every model patched from it store weights; "
        "int8 needs --calibration_records (default: float32)",
    )
    add_calibration_records(verb)
    verb.add_argument(
        "--calibration_images",
        type=count,
        default=100,
        help="images of it to use (default: 100)",
    )
    verb.add_argument(
        "--snap",
        action="store_true",
        help="round the kernels to the int8 grid before publishing: "
        "checkpoint/ holds the rounded kernels too, so tasks that are trained "
        "on it suffer no rounding of the base",
    )


def _add_routing(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--routing",
        action="store_true",
        help="make a routing base, for patches whose images choose their "
        "blocks (`instance_routing`): every block of the backbone is in it "
        "twice, with a policy network; LiteRT runs one of the two. Give "
        "--checkpoint_dir the published checkpoint that the tasks are "
        "trained on. Not with int8",
    )
    for flag, default, what in (
        ("--policy_blocks", _POLICY_BLOCKS, "blocks"),
        ("--policy_channels", _POLICY_CHANNELS, "channels"),
    ):
        verb.add_argument(
            flag,
            type=count,
            help=f"with --routing: `{what}` of the tasks' "
            f"`instance_routing.policy` (default: {default})",
        )


def run(options: argparse.Namespace) -> int:
    _check_precision(options)
    _check_routing(options)
    from object_detection_patch.export import base

    result = base.export_base(
        pipeline_config_path=options.pipeline_config_path,
        checkpoint_dir=options.checkpoint_dir,
        output_dir=options.output_dir,
        precision=options.precision,
        calibration_records=options.calibration_records,
        calibration_images=options.calibration_images,
        max_classes=options.max_classes,
        max_detections=options.max_detections,
        regular_nms=options.regular_nms,
        eval_records=options.eval_records,
        snap=options.snap,
        policy=_policy(options),
        resolutions=options.resolutions,
    )
    print(base.report(result))
    return 0


def _policy(options: argparse.Namespace) -> PolicySize | None:
    from object_detection_patch.export.policy_graph import PolicySize

    if not options.routing:
        return None
    return PolicySize(
        options.policy_blocks or _POLICY_BLOCKS,
        options.policy_channels or _POLICY_CHANNELS,
    )


def _check_routing(options: argparse.Namespace) -> None:
    if options.routing:
        return
    for flag in ("policy_blocks", "policy_channels"):
        if getattr(options, flag) is not None:
            raise ValueError(
                f"`--{flag}` is for a routing base (--routing). Received: "
                f"{getattr(options, flag)} without it."
            )


def _check_precision(options: argparse.Namespace) -> None:
    if options.precision == "int8" and not options.calibration_records:
        raise ValueError(
            "`--precision int8` needs `--calibration_records`, images on "
            "which the ranges of the activations are measured. Received: "
            "none."
        )
