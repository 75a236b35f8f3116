"""od-patch extract-trained: what a device learned -> patch."""

from __future__ import annotations

import argparse
import os

from object_detection_patch.cli.options import (
    add_pipeline_config,
    classes,
    require_folder,
)


def add(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "extract-trained",
        help="weights that a device trained -> patch file",
        description="Makes an ordinary patch file of the weights that a model "
        "of `od-patch export-trainable` learned. The base is that of the "
        "config, and its fingerprint must be the exported one's.",
    )
    add_pipeline_config(verb)
    verb.add_argument(
        "--weights",
        required=True,
        help=".npz file with what the signature `parameters` gave",
    )
    verb.add_argument("--output", required=True, help="patch file to write")
    verb.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from object_detection_patch.on_device import trained
    from object_detection_patch.patch_file import write_patch

    require_folder(options.output)
    patch = trained.extract_trained(
        options.pipeline_config_path, options.weights
    )
    write_patch(options.output, patch)
    print(
        f"{options.output}: {os.path.getsize(options.output):,} bytes, "
        f"{patch.method} for {classes(len(patch.label_map))}, after "
        f"{patch.metadata['training']['steps']:,} steps on a device. Base "
        f"{patch.base_fingerprint[:12]}."
    )
    return 0
