"""od-patch adapters: residual adapters compressed to low rank, and back."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import Any

from object_detection_patch.cli.options import (
    add_encoding,
    add_json,
    print_json,
    require_folder,
)


def add(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "adapters",
        help="compress the residual adapters of one patch, or of many together",
        description="Cuts the matrices of residual adapters to low rank, and "
        "stores what tasks of one base can share once. Needs numpy alone: no "
        "TensorFlow, no base model.",
    )
    actions = verb.add_subparsers(required=True, metavar="ACTION")
    _add_compress(actions)
    _add_join(actions)
    _add_expand(actions)


def run(options: argparse.Namespace) -> int:
    return options.action(options)


def _action(
    actions: argparse._SubParsersAction,
    name: str,
    sentence: str,
    description: str,
    function: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    action = actions.add_parser(
        name, help=sentence, description=f"{sentence}. {description}"
    )
    add_encoding(action, default="exact", otherwise="exact")
    action.set_defaults(run=run, action=function)
    return action


def _add_compress(actions: argparse._SubParsersAction) -> None:
    action = _action(
        actions,
        "compress",
        "patches with whole adapters -> smaller files of low rank",
        "Several patches become one shared file, DIR/shared.odps, and a task "
        "file DIR/NAME.odpt each; one patch, or with --per_task each, becomes "
        "an ordinary patch DIR/NAME.patch. Adapters that would not get "
        "smaller stay whole.",
        _compress,
    )
    action.add_argument(
        "patches", nargs="+", metavar="PATCH", help="patch files of one base"
    )
    ranks = action.add_mutually_exclusive_group(required=True)
    ranks.add_argument(
        "--rank", type=int, metavar="K", help="rank of the products"
    )
    ranks.add_argument(
        "--share",
        type=float,
        metavar="S",
        help="instead: rank as a share of each adapter's channels; the paper "
        "has 0.5",
    )
    action.add_argument(
        "--per_task",
        action="store_true",
        help="compress each patch by itself; they share nothing",
    )
    action.add_argument(
        "--output_dir", required=True, help="new or empty directory"
    )
    add_json(action)


def _compress(options: argparse.Namespace) -> int:
    from object_detection_patch.adapters import write
    from object_detection_patch.adapters.rank_rule import RankRule

    rule = RankRule(rank=options.rank or 0, share=options.share or 0.0)
    alone = options.per_task or len(options.patches) == 1
    written = (write.write_per_task if alone else write.write_family)(
        options.patches, rule, options.output_dir, encoding=options.encoding
    )
    return _print(written, options)


def _add_join(actions: argparse._SubParsersAction) -> None:
    action = _action(
        actions,
        "join",
        "a patch -> task file of a family that is there",
        "Its adapters keep what the shared file can express. A patch that "
        "was expanded from the family, and trained on with `left_only`, "
        "loses nothing.",
        _join,
    )
    action.add_argument("patch", metavar="PATCH", help="patch file")
    action.add_argument(
        "--shared", required=True, help="shared file of the family"
    )
    action.add_argument("--output", required=True, help="task file to write")
    add_json(action)


def _join(options: argparse.Namespace) -> int:
    from object_detection_patch.adapters import write

    require_folder(options.output)
    written = write.write_joined(
        options.patch,
        options.shared,
        options.output,
        encoding=options.encoding,
    )
    return _print(written, options)


def _add_expand(actions: argparse._SubParsersAction) -> None:
    action = _action(
        actions,
        "expand",
        "shared file + task file -> ordinary patch file",
        "Every other verb, and a phone, takes the result.",
        _expand,
    )
    action.add_argument("shared", metavar="SHARED", help="shared file")
    action.add_argument("task", metavar="TASK", help="task file")
    action.add_argument("--output", required=True, help="patch file to write")


def _expand(options: argparse.Namespace) -> int:
    from object_detection_patch.adapters.expand import expand_files
    from object_detection_patch.patch_file import ENCODINGS, to_bytes
    from object_detection_patch.patch_file.whole_file import write_whole

    require_folder(options.output)
    patch = expand_files(options.shared, options.task)
    data = to_bytes(patch, encoding=ENCODINGS[options.encoding])
    write_whole(options.output, data)
    print(
        f"{options.output}: {len(data):,} bytes, {patch.method} for base "
        f"{patch.base_fingerprint[:12]}"
    )
    return 0


def _print(written: Mapping[str, Any], options: argparse.Namespace) -> int:
    from object_detection_patch.adapters import report

    if options.json:
        print_json(written)
    else:
        print(report.as_text(written))
    return 0
