"""One piece of a suite's work, in a process of its own.

    python -m object_detection_patch.decathlon.running.one \\
        --out_dir O \\
        (--data KEY | --split KEY | --base KEY | --publish KEY | --run ID |
        --phone ID)

`od-patch decathlon run --print_commands` prints these lines, for schedulers.
Exit codes: 0 done, or was done before; 2 refused, with the reason on stderr;
3 failed, and the run's record says why; others: the process broke.
"""

from __future__ import annotations

import argparse
import functools
import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import NoReturn

from object_detection_patch.decathlon.running import (
    compressed,
    datasets,
    joint,
    keeping,
)
from object_detection_patch.decathlon.running import plan as plans
from object_detection_patch.decathlon.running import record as records
from object_detection_patch.decathlon.running.folder import (
    Folder,
    FolderError,
    empty_unless,
    open_folder,
)
from object_detection_patch.decathlon.running.lock import locked
from object_detection_patch.decathlon.running.phases import Phases
from object_detection_patch.decathlon.suite import runs as runs_lib
from object_detection_patch.decathlon.suite.runs import Run
from object_detection_patch.decathlon.suite.suite import Suite, SuiteTask
from object_detection_patch.keras_version import choose_legacy_keras

# Before anything imports TensorFlow.
choose_legacy_keras()
# What TensorFlow itself takes on newer processors: a quarter faster on older
# ones, and rounding differs less between machines.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


def main(arguments: list[str] | None = None) -> int:
    """Does one piece of work; returns the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        folder = open_folder(options.out_dir, options.data_dir)
        suite = records.read_suite(folder.suite)
        name, work = _piece(folder, suite, options)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    try:
        with locked(folder, name):
            return work()
    except (FolderError, records.RecordError) as error:
        print(error, file=sys.stderr)
        return keeping.REFUSED


def make_run(
    folder: Folder, suite: Suite, run: Run, *, tpu: str | None = None
) -> int:
    """Trains and measures a run; writes its record, also if it fails.

    Those that train together with it are trained and measured too.

    Args:
      tpu: see `devices`.

    Returns:
      The exit code: 0 also for a run that has a result.

    Raises:
      FolderError: for a result whose configuration was another, and without
        the run's data or base, or patches that it starts from.
      RecordError: for a record that is not whole.
    """
    if run.together is not None:
        return joint.make_runs(folder, suite, run, tpu=tpu)
    held = plans.held_record(folder, suite, run)
    if held is not None and held.outcome is not None:
        print(f"{run.id} has a result.")
        return 0
    datasets.require_records(folder, suite, run.task)
    base = plans.require_base(folder, suite, run.base)
    compressed.require_patches(folder, run)
    identity = " ".join(
        (
            f"{runs_lib.config_sha256(suite, run)} on {base.fingerprint}",
            compressed.digest(folder, run),
        )
    ).strip()
    phases = Phases()
    outcome, error = None, None
    try:
        empty_unless(folder.run_work(run), identity)
        outcome = _outcome(folder, run, phases, tpu)
    except Exception as failure:  # Whatever it was: the rest is to go on.
        traceback.print_exc()
        error = f"{type(failure).__name__}: {failure}"
    keeping.keep_run(folder, suite, run, phases, outcome, error)
    return 0 if error is None else keeping.FAILED


def measure_phone(folder: Folder, run: Run) -> int:
    """Adds what a phone makes of a run's patch to its record.

    Returns:
      The exit code; if it failed, the record says why.

    Raises:
      FolderError: if the run gave no patch.
      RecordError: for a record that is not whole.
    """
    from object_detection_patch.decathlon.running import measuring

    path = folder.run_record(run.id)
    outcome = records.read_run(path).outcome if path.exists() else None
    if outcome is None:
        raise FolderError(
            "A phone runs the patch of a run that was trained (--run). "
            f"Received: {run.id}, which has no result in {path}."
        )
    if outcome.int8 is not None:
        print(f"{run.id} has been measured.")
        return 0
    phases = Phases()
    error = None
    try:
        _require_patch(folder, run)
        outcome = measuring.on_phone(folder, run, outcome, phases)
    except Exception as failure:  # Whatever it was: the rest is to go on.
        traceback.print_exc()
        error = f"on the phone: {type(failure).__name__}: {failure}"
    keeping.keep_phone(folder, run, outcome, error, phases)
    return 0 if error is None else keeping.FAILED


def _outcome(
    folder: Folder, run: Run, phases: Phases, tpu: str | None
) -> records.Outcome:
    with phases.phase("start"):
        from object_detection_patch.decathlon.running import (
            measuring,
            training,
        )
    work = folder.run_work(run)
    config = str(work / "pipeline.config")
    compressed.write_start(folder, run)
    training.write_run_config(folder, run, config)
    with phases.phase("train"):
        training.train(config, str(work / "train"), seed=run.seed, tpu=tpu)
    outcome = measuring.outcome(folder, run, config, phases)
    plans.refuse_other_base(folder, run.base, outcome.base_fingerprint)
    return outcome


def _require_patch(folder: Folder, run: Run) -> None:
    if not folder.run_patch(run).exists():
        raise FolderError(
            "A phone runs the patch that a training left in work/. Received: "
            f"no {folder.run_patch(run)}; remove {folder.run_record(run.id)} "
            "to train it again."
        )


def _piece(
    folder: Folder, suite: Suite, options: argparse.Namespace
) -> tuple[str, Callable[[], int]]:
    """A name for the piece of work, and what does it."""
    if options.data is not None:
        task = runs_lib.task_of(suite, options.data)
        return f"data_{task.key}", functools.partial(_draw, folder, suite, task)
    if options.split is not None:
        task = runs_lib.task_of(suite, options.split)
        return f"split_{task.key}", functools.partial(
            _split, folder, suite, task
        )
    if options.base is not None:
        key = runs_lib.base_of(suite, options.base).key
        return f"base_{key}", functools.partial(
            _make_base, folder, suite, key, options.tpu
        )
    if options.publish is not None:
        key = runs_lib.base_of(suite, options.publish).key
        # The training's name: both write one record.
        return f"base_{key}", functools.partial(_publish, folder, suite, key)
    if options.phone is not None:
        run = runs_lib.find_run(suite, options.phone)
        # The training's name: both write one record.
        return f"run_{run.training_id}", functools.partial(
            measure_phone, folder, run
        )
    run = runs_lib.find_run(suite, options.run)
    return f"run_{run.training_id}", functools.partial(
        make_run, folder, suite, run, tpu=options.tpu
    )


def _draw(folder: Folder, suite: Suite, task: SuiteTask) -> int:
    if suite.drawn is None:
        raise FolderError(
            f"`--data` draws data. Received: {task.key} of suite "
            f"{suite.name}, whose records exist already."
        )
    with datasets.drawing(folder, suite, task) as lacking:
        if lacking:
            from object_detection_patch.decathlon.running import data

            data.draw(folder, suite.drawn, task)
    datasets.keep_reports(folder, task)
    _draw_base_in(folder, suite, task)
    return 0


def _draw_base_in(folder: Folder, suite: Suite, task: SuiteTask) -> None:
    """If the base is made; else it draws when it is."""
    key = suite.base.key
    if task == suite.source or plans.held_base(folder, suite, key) is None:
        return
    if not folder.drawn_by_base(key, task.key).exists():
        from object_detection_patch.decathlon.running import bases

        bases.draw_in(folder, suite, task)


def _split(folder: Folder, suite: Suite, task: SuiteTask) -> int:
    origin = runs_lib.origin_of(suite, task)
    if origin == task:
        raise FolderError(
            "`--split` splits the training images of a task of `tuning`. "
            f"Received: {task.key}."
        )
    datasets.require_records(folder, suite, origin)
    with datasets.drawing(folder, suite, task) as lacking:
        if lacking:
            from object_detection_patch.decathlon.running import data

            data.hold_out(folder, origin, task)
    return 0


def _make_base(folder: Folder, suite: Suite, key: str, tpu: str | None) -> int:
    if plans.held_base(folder, suite, key) is not None:
        print(f"Base {key} is there.")
        return 0
    from object_detection_patch.decathlon.running import bases

    bases.make_base(folder, suite, key, tpu=tpu)
    return 0


def _publish(folder: Folder, suite: Suite, key: str) -> int:
    if key != suite.base.key:
        raise FolderError(
            "Phones run patches of the suite's own base, "
            f"{suite.base.key}. Received: `--publish {key}`."
        )
    if not plans.lacks_publishing(folder, suite):
        print(f"Base {key} needs no publishing.")
        return 0
    from object_detection_patch.decathlon.running import bases

    bases.publish_base(folder, suite)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--out_dir", required=True, metavar="O")
    parser.add_argument("--data_dir", help="default: O/work/data")
    parser.add_argument("--tpu", help="name of a Cloud TPU to train on")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--data", metavar="KEY", help="draw a task's data")
    what.add_argument("--split", metavar="KEY", help="split a task's images")
    what.add_argument("--base", metavar="KEY", help="make a base")
    what.add_argument(
        "--publish", metavar="KEY", help="publish a base that was kept"
    )
    what.add_argument(
        "--run",
        metavar="ID",
        help="train, measure a run, and those trained with it",
    )
    what.add_argument(
        "--phone", metavar="ID", help="measure a trained run in LiteRT"
    )
    return parser


def _terminate(number: int, frame: object) -> NoReturn:
    sys.exit(128 + number)


if __name__ == "__main__":
    # What was begun is removed, and what was started ends too.
    signal.signal(signal.SIGTERM, _terminate)
    sys.exit(main())
