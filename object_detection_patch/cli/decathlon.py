"""od-patch decathlon: a suite of tasks and methods, run and reported."""

from __future__ import annotations

import argparse
import pathlib
import shlex
import sys
from typing import TYPE_CHECKING

from object_detection_patch.cli.options import count

if TYPE_CHECKING:
    from object_detection_patch.decathlon.suite.runs import Run
    from object_detection_patch.decathlon.suite.suite import Suite


def add(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "decathlon",
        help="the paper's experiments on ten tasks, and their report",
        description="Runs every method on every task of a suite, resumes "
        "where it was interrupted, and reports what came of it.",
    )
    actions = verb.add_subparsers(required=True, metavar="ACTION")
    _add_run(actions)
    _add_report(actions)


def _add_run(actions: argparse._SubParsersAction) -> None:
    action = actions.add_parser(
        "run",
        help="trains and measures; call it again to go on",
        description="Trains and measures what is left of a suite: one JSON a "
        "run in OUT_DIR/runs. Finished runs are skipped, a failed one is "
        "recorded with its error and the rest goes on.",
    )
    action.add_argument(
        "--suite",
        required=True,
        help="mini: ten drawn data sets, trained on two cores in hours; "
        "paper: the real ones, converted, under --data_dir, at 320 px; or a "
        "suite's JSON file, as OUT_DIR/suite.json is one",
    )
    action.add_argument(
        "--out_dir", required=True, help="new, or of this suite"
    )
    action.add_argument(
        "--data_dir",
        help="where the suite's records are (default: OUT_DIR/work/data, "
        "where mini draws its own)",
    )
    action.add_argument(
        "--experiments",
        nargs="+",
        metavar="NAME",
        help="main: every method on every task; phone: their patches on "
        "float32 and int8 models, run in LiteRT; updating: bases of parts of "
        "one task; sparsity: other values of lambda_sps; families: adapters, "
        "SpotTune and its rivals on three tasks; compact: files of half "
        "the bytes, piece by piece; joint: three tasks that train one base "
        "together; tuning: the rates to choose from, on training images held "
        "out (default: main phone; main alone with --quick)",
    )
    action.add_argument(
        "--methods", nargs="+", default=[], help="default: all of the suite"
    )
    action.add_argument(
        "--tasks", nargs="+", default=[], help="default: all of the suite"
    )
    action.add_argument(
        "--variants",
        nargs="+",
        default=[],
        help="of runs that have some: options by name (late_5_4), rates, "
        "bases; the others are not left out (default: all of the suite)",
    )
    action.add_argument(
        "--seeds", type=count, default=1, help="how many (default: 1)"
    )
    action.add_argument(
        "--quick",
        action="store_true",
        help="the few tasks and methods that the suite names for a first look",
    )
    action.add_argument(
        "--jobs",
        type=count,
        default=2,
        help="processes at once (default: 2); they share the cores. A "
        "training takes all GPUs that it sees: with GPUs, 1",
    )
    action.add_argument(
        "--retry_failed", action="store_true", help="runs that failed before"
    )
    action.add_argument(
        "--print_commands",
        action="store_true",
        help="print one command line for each piece of work that is left, for "
        "a scheduler, and run none; a blank line stands between what must be "
        "done first and what needs it",
    )
    action.set_defaults(run=run)


def _add_report(actions: argparse._SubParsersAction) -> None:
    action = actions.add_parser(
        "report",
        help="tables and figures of what has been run so far",
        description="Writes report.html, report.md, tables/*.csv and "
        "figures/*.svg from the records in a directory.",
    )
    action.add_argument("out_dir", help="that `run` wrote")
    action.set_defaults(run=report)


def run(options: argparse.Namespace) -> int:
    from object_detection_patch.decathlon.running import run as running
    from object_detection_patch.decathlon.running.folder import open_folder
    from object_detection_patch.decathlon.suite import runs, suites

    suite = suites.load(options.suite)
    if options.experiments is None:
        phone = [] if options.quick else [runs.PHONE]
        options.experiments = [runs.MAIN, *phone]
    selected = _selected(suite, options)
    folder = open_folder(options.out_dir, options.data_dir)
    wanted = {
        "phone": runs.PHONE in options.experiments,
        "retry_failed": options.retry_failed,
    }
    if options.print_commands:
        for line in running.list_commands(folder, suite, selected, **wanted):
            print(line)
        return 0
    failed = running.run_suite(
        folder, suite, selected, jobs=options.jobs, **wanted
    )
    print(
        f"{folder.root}: {len(selected)} runs asked for, {failed} failed now; "
        f"`od-patch decathlon report {shlex.quote(options.out_dir)}` shows "
        "them.",
        file=sys.stderr,
    )
    return 1 if failed else 0


def _selected(suite: Suite, options: argparse.Namespace) -> list[Run]:
    from object_detection_patch.decathlon.suite import runs

    tasks, methods = options.tasks, options.methods
    if options.quick:
        if not all(suite.quick):
            raise ValueError(
                "`--quick` needs a suite whose `quick` names tasks and "
                f"methods. Received: {options.suite}, which names none."
            )
        tasks = tasks or list(suite.quick[0])
        methods = methods or list(suite.quick[1])
    return runs.select(
        suite,
        experiments=options.experiments,
        methods=methods,
        tasks=tasks,
        variants=options.variants,
        seeds=options.seeds,
    )


def report(options: argparse.Namespace) -> int:
    from object_detection_patch.decathlon.report import page

    for path in page.write_report(pathlib.Path(options.out_dir)):
        print(path)
    return 0
