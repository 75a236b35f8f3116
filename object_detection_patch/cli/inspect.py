"""od-patch inspect: what a patch file holds."""

from __future__ import annotations

import argparse

from object_detection_patch.cli.options import add_json, print_json


def add(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "inspect",
        help="what a patch file holds, layer by layer",
        description="Needs numpy alone: no TensorFlow, no base model.",
    )
    verb.add_argument(
        "patch",
        help="patch file, or a shared or task file of `adapters compress`",
    )
    add_json(verb)
    verb.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from object_detection_patch.adapters import frame
    from object_detection_patch.adapters import inspection as of_families
    from object_detection_patch.patch_file import inspection as of_patches

    is_family_file = frame.is_family_file(options.patch)
    inspection = of_families if is_family_file else of_patches
    described = inspection.describe(options.patch)
    if options.json:
        print_json(described)
    else:
        print(inspection.as_text(described))
    return 0
