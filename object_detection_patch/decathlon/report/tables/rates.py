"""How learning rates were chosen, on training images held out."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.report.contents import (
    Cell,
    Column,
    Table,
)
from object_detection_patch.decathlon.report.tables import cells, order
from object_detection_patch.decathlon.running import record
from object_detection_patch.decathlon.suite import runs as runs_lib
from object_detection_patch.decathlon.suite.runs import (
    TUNING,
    Run,
)
from object_detection_patch.decathlon.suite.suite import Families, Joint, Tuning


def trials(results: Results, tuning: Tuning) -> Table:
    """mAP of every method with every rate that was tried."""
    taken = {
        method: results.suite.methods[method].rate
        for method in order.methods(results)
    }
    return _table(results, "rates", tuning, tuning.tasks, taken)


def family_trials(
    results: Results, tuning: Tuning, families: Families
) -> Table:
    """The same of the further families."""
    rates = {name: families.methods[name].rate for name in families.rates}
    return _table(results, "family_rates", tuning, families.tuned_on, rates)


def joint_trials(results: Results, tuning: Tuning, joint: Joint) -> Table:
    """The same of joint trainings, of all these tasks together."""
    rates = {
        runs_lib.joint_method(name): joint.private[name] for name in joint.rates
    }
    return _table(results, "joint_rates", tuning, joint.tuned_on, rates)


def _table(
    results: Results,
    key: str,
    tuning: Tuning,
    tasks: Sequence[str],
    taken: Mapping[str, float],
) -> Table:
    """A row for each method and rate.

    Args:
      tasks: that rates were tried on.
      taken: method -> the rate that it has.
    """
    keys = [
        origin
        for task in runs_lib.held_out_tasks(results.suite)
        if (origin := runs_lib.origin_of(results.suite, task).key) in tasks
    ]
    return Table(
        key,
        "Learning rates that were tried, mAP@0.5 in percent",
        (
            Column("Method"),
            Column("Rate"),
            *(Column(key, "1") for key in keys),
            Column("Mean", "1"),
            Column("Taken"),
        ),
        tuple(
            _row(results, runs, rate)
            for method, rate in taken.items()
            for runs in _by_rate(results, method).values()
        ),
        (
            f"On {tuning.percent} % of the training images of each of these "
            "tasks, after a training on the others with the task's own "
            "schedule; no evaluation image has a say. Taken: the rate of all "
            "other tables.",
        ),
    )


def _by_rate(results: Results, method: str) -> dict[float, list[Run]]:
    """Rate -> a run for each task."""
    found: dict[float, list[Run]] = {}
    for run in runs_lib.all_runs(results.suite, cells.SEED):
        if (run.experiment, run.method) == (TUNING, method):
            found.setdefault(run.training.rate, []).append(run)
    return found


def _row(results: Results, runs: list[Run], chosen: float) -> tuple[Cell, ...]:
    """Of one method and rate."""
    method, rate = runs[0].method, runs[0].training.rate
    maps = [_cell(results, run) for run in runs]
    taken = "yes" if rate == chosen else None
    return (method, str(rate), *maps, _mean(maps), taken)


def _cell(results: Results, run: Run) -> Cell:
    return cells.cell(
        results,
        run.method,
        run.task.key,
        _map,
        experiment=TUNING,
        variant=run.variant,
    )


def _mean(row: list[Cell]) -> float | None:
    """None unless every task has a number."""
    known = [n for cell in row if (n := cells.number(cell)) is not None]
    return statistics.fmean(known) if len(known) == len(row) else None


def _map(outcome: record.Outcome) -> float | None:
    return cells.percent(cells.keras(outcome))
