"""od-patch cascade: cheap detectors first, the dear one where they doubt."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from object_detection_patch.cli.options import (
    add_base,
    add_json,
    print_json,
    require_folder,
    share,
)

if TYPE_CHECKING:
    from object_detection_patch.cascades.members import Member


def add(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "cascade",
        help="choose among patches of one task by confidence, to save time",
        description="Builds the cascade of the detectors of several patches, "
        "such as those of several resolutions: each image goes to the next "
        "detector unless the one before was sure. Chosen to keep the mAP of "
        "the best detector at the least cost, and measured on other images.",
    )
    add_base(verb)
    verb.add_argument(
        "--patches",
        required=True,
        nargs="+",
        metavar="PATCH",
        help="patch files of one task for that base",
    )
    verb.add_argument(
        "--eval_records",
        required=True,
        help="TFRecord file or pattern to measure on",
    )
    verb.add_argument(
        "--choose_records",
        help="TFRecord file or pattern to choose on (default: every second "
        "image of --eval_records, and the others are measured)",
    )
    verb.add_argument(
        "--allowed_loss",
        type=share,
        default=0.0,
        metavar="MAP",
        help="mAP, from 0 to 1, that may be lost on the images to choose on "
        "(default: 0)",
    )
    verb.add_argument(
        "--output", metavar="FILE.json", help="write what was found, too"
    )
    add_json(verb)
    verb.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from object_detection_patch.cascades import measured, report
    from object_detection_patch.patch_file.whole_file import write_whole

    if options.output:
        require_folder(options.output)
    found = measured.cascade(
        *_members(options), allowed_loss=options.allowed_loss
    )
    if options.output:
        text = json.dumps(report.as_json(found), indent=2)
        write_whole(options.output, text.encode())
    if options.json:
        print_json(report.as_json(found))
    else:
        print(report.as_text(found))
    return 0


def _members(
    options: argparse.Namespace,
) -> tuple[list[Member], list[Member]]:
    """Each patch's detector, on the images to choose on and to measure on."""
    from object_detection_patch.cascades import measured, members

    members.check(
        options.patches,
        {
            "--eval_records": options.eval_records,
            "--choose_records": options.choose_records,
        },
    )
    measuring = _run(options, options.eval_records)
    if options.choose_records:
        return _run(options, options.choose_records), measuring
    return measured.halves(measuring)


def _run(options: argparse.Namespace, records: str) -> list[Member]:
    from object_detection_patch.cascades import members
    from object_detection_patch.od_api import compat, extractors

    compat.enable()
    extractors.register()
    found = []
    for member in members.members(
        options.base_config, options.base_checkpoint, options.patches, [records]
    ):
        print(
            f"{member.patch}: {len(member.images):,} images of {records}",
            file=sys.stderr,
            flush=True,
        )
        found.append(member)
    return found
