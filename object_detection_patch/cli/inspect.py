"""od-patch inspect: what a patch file holds."""

from __future__ import annotations

import argparse
from typing import Any

from object_detection_patch.cli.options import add_json, print_json


def add(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "inspect",
        help="what a patch file holds, layer by layer, or a base's sidecar",
        description="Needs numpy alone: no TensorFlow, no base model.",
    )
    verb.add_argument(
        "patch",
        help="patch file, a shared or task file of `adapters compress`, or "
        "base.odpatch",
    )
    add_json(verb)
    verb.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    inspection = _inspection_of(options.patch)
    described = inspection.describe(options.patch)
    if options.json:
        print_json(described)
    else:
        print(inspection.as_text(described))
    return 0


def _inspection_of(path: str) -> Any:
    """The module that describes files of this kind."""
    from object_detection_patch.adapters import frame
    from object_detection_patch.adapters import inspection as of_families
    from object_detection_patch.patch_file import inspection as of_patches
    from object_detection_patch.tflite import inspection as of_sidecars

    if of_sidecars.is_sidecar_file(path):
        return of_sidecars
    return of_families if frame.is_family_file(path) else of_patches
