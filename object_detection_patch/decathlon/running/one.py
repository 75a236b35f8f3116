"""One piece of a suite's work, in a process of its own.

    python -m object_detection_patch.decathlon.running.one \\
        --out_dir O \\
        (--data KEY | --split KEY | --base KEY | --run ID | --phone ID)

`od-patch decathlon run --print_commands` prints these lines, for schedulers.
"""

from __future__ import annotations

import argparse
import sys
import traceback
from typing import Any

import msgspec

from object_detection_patch.decathlon.running import record as records
from object_detection_patch.decathlon.running.folder import (
    Folder,
    empty_unless,
    open_folder,
    require_records,
)
from object_detection_patch.decathlon.suite import runs as runs_lib
from object_detection_patch.decathlon.suite.runs import Run
from object_detection_patch.decathlon.suite.suite import Suite
from object_detection_patch.keras_version import choose_legacy_keras

# Before anything imports TensorFlow.
choose_legacy_keras()


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    folder = open_folder(options.out_dir, options.data_dir)
    suite = records.read_suite(folder.suite)
    if options.data:
        _draw(folder, suite, options.data)
    elif options.split:
        _split(folder, suite, options.split)
    elif options.base:
        from object_detection_patch.decathlon.running import bases

        bases.make_base(folder, suite, options.base, tpu=options.tpu)
    elif options.phone:
        return measure_phone(folder, find_run(suite, options.phone))
    else:
        run = find_run(suite, options.run)
        return make_run(folder, suite, run, tpu=options.tpu)
    return 0


def find_run(suite: Suite, run_id: str) -> Run:
    """The run of an id.

    Raises:
      ValueError: if the suite has none of it.
    """
    seed = run_id.rpartition("__seed")[2]
    if seed.isdecimal() and int(seed) >= 1:
        for run in runs_lib.all_runs(suite, int(seed)):
            if run.id == run_id:
                return run
    raise ValueError(
        "A run must be one of the suite's, as --print_commands prints them. "
        f"Received: {run_id!r}."
    )


def make_run(
    folder: Folder, suite: Suite, run: Run, *, tpu: str | None = None
) -> int:
    """Trains and measures a run; writes its record, also if it fails.

    Args:
      tpu: see `devices`.

    Returns:
      0, or 1 if it failed.
    """
    from object_detection_patch.decathlon.running.phases import Phases

    phases = Phases()
    outcome, error = None, None
    try:
        base = records.read_base(folder.base_record(run.base))
        digest = runs_lib.config_sha256(suite, run)
        empty_unless(folder.run_work(run), f"{digest} on {base.fingerprint}")
        outcome = _outcome(folder, run, phases, tpu)
    except Exception as failure:  # noqa: BLE001: the rest is to go on.
        traceback.print_exc()
        error = f"{type(failure).__name__}: {failure}"
    write_record(folder, suite, run, phases, outcome, error)
    return 0 if error is None else 1


def measure_phone(folder: Folder, run: Run) -> int:
    """Adds what a phone makes of a run's patch to its record.

    Returns:
      0, or 1 if it failed; then the record says why.
    """
    from object_detection_patch.decathlon.running import measuring
    from object_detection_patch.decathlon.running.phases import Phases

    path = folder.run_record(run.id)
    held = records.read_run(path)
    if held.outcome is None:
        print(f"{run.id} has no patch: {held.error}", file=sys.stderr)
        return 1
    phases = Phases()
    outcome, error = held.outcome, None
    try:
        outcome = measuring.on_phone(folder, run, outcome, phases)
    except Exception as failure:  # noqa: BLE001: the rest is to go on.
        traceback.print_exc()
        error = f"on the phone: {type(failure).__name__}: {failure}"
    records.write_json(
        path,
        msgspec.structs.replace(
            held,
            outcome=outcome,
            error=error,
            seconds={**held.seconds, **phases.seconds},
        ),
    )
    return 0 if error is None else 1


def write_record(
    folder: Folder,
    suite: Suite,
    run: Run,
    phases: Any,
    outcome: records.Outcome | None,
    error: str | None,
) -> None:
    """Writes the record of a run that ended."""
    from object_detection_patch.decathlon.running.phases import (
        environment,
        peak_bytes,
    )

    records.write_json(
        folder.run_record(run.id),
        records.RunRecord(
            schema=records.SCHEMA,
            suite=suite.name,
            experiment=run.experiment,
            method=run.method,
            task=run.task.key,
            seed=run.seed,
            base=run.base,
            variant=run.variant,
            config_sha256=runs_lib.config_sha256(suite, run),
            steps=run.task.schedule.steps,
            batch_size=run.task.schedule.batch_size,
            rate=run.training.rate,
            outcome=outcome,
            error=error,
            seconds=phases.seconds,
            peak_bytes=peak_bytes(),
            environment=environment(),
            started=phases.started,
        ),
    )


def _outcome(
    folder: Folder, run: Run, phases: Any, tpu: str | None
) -> records.Outcome:
    require_records(folder, run.task)
    with phases.phase("start"):
        from object_detection_patch.decathlon.running import (
            measuring,
            training,
        )
    work = folder.run_work(run)
    config = str(work / "pipeline.config")
    training.write_run_config(folder, run, config)
    with phases.phase("train"):
        training.train(config, str(work / "train"), seed=run.seed, tpu=tpu)
    return measuring.outcome(folder, run, config, phases)


def _draw(folder: Folder, suite: Suite, key: str) -> None:
    from object_detection_patch.decathlon.running import data

    if suite.drawn is None:
        raise ValueError(
            f"`--data` draws data. Received: {key} of suite {suite.name}, "
            "whose records exist already."
        )
    data.draw(folder, suite.drawn, runs_lib.task_of(suite, key))


def _split(folder: Folder, suite: Suite, key: str) -> None:
    from object_detection_patch.decathlon.running import data

    origin = runs_lib.task_of(suite, key.removesuffix(runs_lib.HELD_OUT))
    data.hold_out(folder, origin, runs_lib.task_of(suite, key))


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
    what.add_argument("--base", metavar="KEY", help="train, publish a base")
    what.add_argument("--run", metavar="ID", help="train, measure a run")
    what.add_argument(
        "--phone", metavar="ID", help="measure a trained run in LiteRT"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
