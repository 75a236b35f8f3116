"""Keeps what became of a run, also of one that could not do so itself."""

from __future__ import annotations

import msgspec

from object_detection_patch.decathlon.running import record as records
from object_detection_patch.decathlon.running.folder import Folder
from object_detection_patch.decathlon.running.phases import (
    Phases,
    environment,
    peak_bytes,
)
from object_detection_patch.decathlon.suite import runs as runs_lib
from object_detection_patch.decathlon.suite.runs import Run
from object_detection_patch.decathlon.suite.suite import Suite

REFUSED = 2
"""Exit code of a process that did nothing and said why."""
FAILED = 3
"""Exit code of a process that failed and recorded why."""


def keep_run(
    folder: Folder,
    suite: Suite,
    run: Run,
    phases: Phases,
    outcome: records.Outcome | None,
    error: str | None,
    *,
    peak: int | None = None,
) -> None:
    """Writes the record of a run that ended.

    Args:
      peak: largest resident memory in bytes; by default this process's.
    """
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
            peak_bytes=peak_bytes() if peak is None else peak,
            environment=environment(),
            started=phases.started,
        ),
    )


def keep_phone(
    folder: Folder,
    run: Run,
    outcome: records.Outcome,
    error: str | None,
    phases: Phases,
) -> None:
    """Adds to the record of a run what a phone made of its patch."""
    path = folder.run_record(run.id)
    held = records.read_run(path)
    records.write_json(
        path,
        msgspec.structs.replace(
            held,
            outcome=outcome,
            error=error,
            seconds={**held.seconds, **phases.seconds},
        ),
    )


def has_result(folder: Folder, run: Run) -> bool:
    """Whether the record of a run has an outcome; RecordError if not whole."""
    path = folder.run_record(run.id)
    return path.exists() and records.read_run(path).outcome is not None


def keep_death(
    folder: Folder, suite: Suite, run: Run, error: str, *, on_phone: bool
) -> bool:
    """Records a process that ended without a word to the record of its run.

    A result that is there stays: the process died after it had written it,
    or another machine has done the same work.

    Returns:
      Whether there is no result.
    """
    if not has_result(folder, run):
        # Nobody knows what memory it took.
        keep_run(folder, suite, run, Phases(), None, error, peak=0)
        return True
    outcome = records.read_run(folder.run_record(run.id)).outcome
    if on_phone and outcome is not None and outcome.int8 is None:
        keep_phone(folder, run, outcome, error, Phases())
        return True
    return False
