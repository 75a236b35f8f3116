"""Runs that failed, and how many have not run."""

from __future__ import annotations

from object_detection_patch.decathlon.report.collect import Results, RunKey
from object_detection_patch.decathlon.report.contents import Column, Table
from object_detection_patch.decathlon.report.tables.cells import (
    FAILED,
    NOT_RUN,
    SEED,
)
from object_detection_patch.decathlon.suite import runs as runs_lib

_FINISHED = "finished"


def failed_runs(results: Results) -> Table | None:
    """Every error of a run, on the phone too; None if there is none."""
    rows = tuple(
        (
            run.experiment,
            run.method,
            run.task,
            run.variant or None,
            run.seed,
            run.error,
        )
        for run in results.runs.values()
        if run.error is not None
    )
    if not rows:
        return None
    return Table(
        "failures",
        "Failed runs",
        (
            Column("Experiment"),
            Column("Method"),
            Column("Task"),
            Column("Variant"),
            Column("Seed", "integer"),
            Column("Error"),
        ),
        rows,
    )


def progress(results: Results) -> Table:
    """Runs of the suite with the first seed, by experiment and state."""
    states: dict[str, dict[str, int]] = {}
    for planned in runs_lib.all_runs(results.suite, SEED):
        key = (
            planned.experiment,
            planned.method,
            planned.task.key,
            planned.variant,
            planned.seed,
        )
        count = states.setdefault(planned.experiment, _none_yet())
        count[_state(results, key)] += 1
    if results.suite.phone:
        states[runs_lib.PHONE] = _phones(results)
    return Table(
        "progress",
        f"Runs of the suite with seed {SEED}",
        (
            Column("Experiment"),
            *(Column(state.capitalize(), "integer") for state in _none_yet()),
        ),
        tuple((name, *count.values()) for name, count in states.items()),
    )


def _none_yet() -> dict[str, int]:
    return dict.fromkeys((_FINISHED, FAILED, NOT_RUN), 0)


def _state(results: Results, key: RunKey) -> str:
    run = results.runs.get(key)
    if run is None:
        return NOT_RUN
    return _FINISHED if run.outcome else FAILED


def _phones(results: Results) -> dict[str, int]:
    """Runs of the main experiment by what became of them on the phone."""
    count = _none_yet()
    for task in results.suite.tasks:
        for method in results.suite.methods:
            key = (runs_lib.MAIN, method, task.key, "", SEED)
            count[_phone_state(results, key)] += 1
    return count


def _phone_state(results: Results, key: RunKey) -> str:
    run = results.runs.get(key)
    if run is None or run.outcome is None:
        return NOT_RUN
    if run.error is not None:
        return FAILED
    return _FINISHED if run.outcome.int8 else NOT_RUN
