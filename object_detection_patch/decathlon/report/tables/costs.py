"""Where the time goes, and how much memory a run takes."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence

from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.report.contents import (
    Cell,
    Column,
    Table,
)
from object_detection_patch.decathlon.report.tables import order
from object_detection_patch.decathlon.running import record
from object_detection_patch.decathlon.suite.runs import MAIN

_MEBIBYTE = 2**20


def by_method(results: Results) -> Table | None:
    """Seconds of a run by phase, and the greatest memory."""
    done = {
        method: _finished(results, method) for method in order.methods(results)
    }
    everything = [run for runs in done.values() for run in runs]
    if not everything:
        return None
    phases = list(_phases(everything))
    return Table(
        "costs",
        "Cost of a run, by method",
        (
            Column("Method"),
            Column("Runs", "integer"),
            *(Column(f"{phase}, s", "1") for phase in phases),
            Column("All, s", "1", "The sum of these."),
            Column(
                "Memory, MiB",
                "integer",
                "Greatest resident memory of a run's process.",
            ),
        ),
        tuple(
            _row(method, runs, phases) for method, runs in done.items() if runs
        ),
        (
            "Medians over the finished runs of the main experiment, of all "
            "seeds, each over those runs that had the phase; jobs that run "
            "beside each other share the processor.",
            *_environments(everything),
        ),
    )


def by_phase(results: Results) -> Table | None:
    """Total seconds of everything that was done, failed runs too."""
    done: list[record.RunRecord | record.BaseRecord] = [
        *results.runs.values(),
        *results.bases.values(),
    ]
    totals = _phases(done)
    whole = math.fsum(totals.values())
    if not whole:
        return None
    return Table(
        "time",
        "Where the time went",
        (
            Column("Phase"),
            Column("Seconds", "integer"),
            Column("Share", "percent"),
        ),
        (
            *((phase, total, total / whole) for phase, total in totals.items()),
            ("all", whole, 1.0),
        ),
        (
            f"{len(results.runs)} runs, failed ones too, and "
            f"{len(results.bases)} bases; the sum of all processes.",
        ),
    )


def _finished(results: Results, method: str) -> list[record.RunRecord]:
    return [
        run
        for run in results.runs.values()
        if (run.experiment, run.method) == (MAIN, method) and run.outcome
    ]


def _phases(
    done: Sequence[record.RunRecord | record.BaseRecord],
) -> dict[str, float]:
    """Phase -> seconds of all together, what took longest first."""
    names = {phase for one in done for phase in one.seconds}
    totals = {
        name: math.fsum(one.seconds.get(name, 0.0) for one in done)
        for name in sorted(names)
    }
    return dict(sorted(totals.items(), key=lambda item: -item[1]))


def _row(
    method: str, runs: Sequence[record.RunRecord], phases: Sequence[str]
) -> tuple[Cell, ...]:
    seconds = [_median(runs, phase) for phase in phases]
    return (
        method,
        len(runs),
        *seconds,
        math.fsum(value for value in seconds if value is not None),
        max(run.peak_bytes for run in runs) / _MEBIBYTE,
    )


def _median(runs: Sequence[record.RunRecord], phase: str) -> float | None:
    """Over the runs that had the phase; None where none had."""
    spent = [run.seconds[phase] for run in runs if phase in run.seconds]
    return statistics.median(spent) if spent else None


def _environments(runs: Iterable[record.RunRecord]) -> list[str]:
    """Every machine that runs took place on, a sentence each."""
    machines = dict.fromkeys(
        (one.processor, one.cores, one.python, one.tensorflow, one.package)
        for one in (run.environment for run in runs)
    )
    return [
        f"{processor}, {cores} cores; Python {python}, TensorFlow "
        f"{tensorflow}, object_detection_patch {package}."
        for processor, cores, python, tensorflow, package in machines
    ]
