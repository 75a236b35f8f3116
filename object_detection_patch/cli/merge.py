"""od-patch merge: a patch folded into its base's checkpoint."""

from __future__ import annotations

import argparse

from object_detection_patch.cli.options import add_base


def add(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "merge",
        help="base checkpoint + patch file -> ordinary OD API checkpoint",
        description="Writes a checkpoint and a pipeline.config without any "
        "patch layer, on which every tool of the OD API works.",
    )
    add_base(verb)
    verb.add_argument("--patch", required=True, help="patch file")
    verb.add_argument(
        "--output_dir", required=True, help="new or empty directory"
    )
    verb.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from object_detection_patch.checkpoints import merge
    from object_detection_patch.patch_file import read_patch

    patch = read_patch(options.patch)
    merge.merge(
        base_config=options.base_config,
        base_checkpoint=options.base_checkpoint,
        patch=patch,
        output_dir=options.output_dir,
    )
    print(
        f"{options.output_dir}: ckpt-0 with {len(patch.edits)} edits of "
        f"{patch.method} applied, pipeline.config and "
        f"{merge.LABEL_MAP_FILE} ({len(patch.label_map)} classes). To train "
        "or evaluate it, put the task's records for "
        f"{merge.RECORDS_TO_SET} in its pipeline.config."
    )
    return 0
