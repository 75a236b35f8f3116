"""od-patch apply: what a phone does with a patch."""

from __future__ import annotations

import argparse

from object_detection_patch.cli.options import (
    add_base_file,
    add_require_signature,
    add_sidecar,
    classes,
    require_folder,
)


def add(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "apply",
        help="base.tflite + patch file -> task.tflite",
        description="Needs numpy alone: no TensorFlow. The base is only "
        "read; the result is checked, written beside its target and renamed "
        "when complete.",
    )
    add_base_file(verb)
    verb.add_argument("--patch", required=True, help="patch file")
    verb.add_argument("--output", required=True, help=".tflite file to write")
    add_sidecar(verb)
    add_require_signature(verb)
    verb.add_argument(
        "--trust_base",
        action="store_true",
        help="skip the SHA-256 of the base: it was checked before and has "
        "not changed since",
    )
    verb.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    require_folder(options.output)
    from object_detection_patch import tflite

    applied = tflite.apply(
        options.base,
        options.patch,
        options.output,
        sidecar=options.sidecar,
        require_signature=options.require_signature,
        trust_base=options.trust_base,
    )
    stated = "as the patch states" if applied.verified else "not in the patch"
    size = applied.image_size
    pixels = f", {size[0]} x {size[1]} pixels" if size is not None else ""
    print(
        f"{options.output}: {applied.file_bytes:,} bytes, "
        f"{classes(applied.classes)}{pixels}\n"
        f"SHA-256 {applied.sha256} ({stated})"
    )
    return 0
