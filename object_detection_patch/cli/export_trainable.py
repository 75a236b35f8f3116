"""od-patch export-trainable: a .tflite that trains a task on the device."""

from __future__ import annotations

import argparse

from object_detection_patch.cli.options import count, require_folder


def add(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "export-trainable",
        help="config with mobile_tl -> .tflite that trains on the device",
        description="Writes a .tflite with the signatures train, infer, "
        "parameters and restore, for LiteRT without its Flex delegate. What "
        "`parameters` gives, saved as .npz, becomes a patch by `od-patch "
        "extract-trained` (docs/on_device.md).",
    )
    verb.add_argument(
        "--pipeline_config_path",
        required=True,
        help="pipeline.config with [object_detection_patch.patch] { part { "
        "mobile_tl { ... } } }",
    )
    verb.add_argument("--output", required=True, help=".tflite to write")
    verb.add_argument(
        "--checkpoint_dir",
        help="a training of this config to go on from: its model directory or "
        "a checkpoint's prefix (default: the task starts at the base)",
    )
    verb.add_argument(
        "--batch_size",
        type=count,
        help="images in a training step (default: the config's)",
    )
    verb.add_argument(
        "--max_boxes",
        type=count,
        help="boxes in an image, at most (default: the config's "
        "train_config.max_number_of_boxes)",
    )
    verb.add_argument(
        "--momentum",
        type=float,
        default=0.9,
        help="of stochastic gradient descent; 0 keeps no slots (default: 0.9)",
    )
    verb.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from object_detection_patch.on_device import export

    require_folder(options.output)
    exported = export.export_trainable(
        options.pipeline_config_path,
        options.output,
        checkpoint=options.checkpoint_dir,
        batch_size=options.batch_size,
        max_boxes=options.max_boxes,
        momentum=options.momentum,
    )
    print(export.report(exported, options.output))
    return 0
