"""What is left of a suite, as processes in the order of need."""

from __future__ import annotations

import dataclasses
import shlex
import sys
from collections.abc import Sequence

from object_detection_patch.decathlon.running import datasets
from object_detection_patch.decathlon.running import plan as plans
from object_detection_patch.decathlon.running.folder import Folder
from object_detection_patch.decathlon.running.jobs import Job
from object_detection_patch.decathlon.suite import runs as runs_lib
from object_detection_patch.decathlon.suite.runs import Run
from object_detection_patch.decathlon.suite.suite import (
    Base,
    Suite,
    SuiteTask,
    kept_fingerprint,
)


@dataclasses.dataclass(frozen=True)
class Work:
    """What is left to do, in the order in which it can be done.

    Args:
      compressed: runs that start from the patches of others.
    """

    data: tuple[Job, ...]
    splits: tuple[Job, ...]
    bases: tuple[Job, ...]
    publishing: tuple[Job, ...]
    runs: tuple[Job, ...]
    compressed: tuple[Job, ...]
    phones: tuple[Job, ...]
    plan: plans.Plan


def find_work(
    folder: Folder,
    suite: Suite,
    runs: Sequence[Run],
    *,
    phone: bool = False,
    retry_failed: bool = False,
) -> Work:
    """What is left to do; see `plan` for what it raises."""
    planned = plans.plan(
        folder,
        suite,
        runs,
        phone=phone and suite.phone,
        retry_failed=retry_failed,
    )
    needed = runs_needed(planned)
    bases = plans.bases_todo(folder, suite, needed)
    unpublished = []
    if planned.phone and plans.lacks_publishing(folder, suite):
        unpublished.append(suite.base.key)
    return Work(
        _drawings(
            folder,
            suite,
            _tasks_of(suite, needed, _measured(suite, bases, unpublished)),
        ),
        _splits(folder, suite, needed),
        tuple(
            _job(folder, "base", key, f"base {key}", _base_steps(suite, key))
            for key in bases
        ),
        tuple(
            _job(folder, "publish", key, f"publishing base {key}", 1)
            for key in unpublished
        ),
        _trainings(
            folder, [run for run in planned.todo if not run.starts_from]
        ),
        _trainings(folder, [run for run in planned.todo if run.starts_from]),
        tuple(
            _job(folder, "phone", run.id, _title(run), 1)
            for run in planned.phone
        ),
        planned,
    )


def runs_needed(plan: plans.Plan) -> tuple[Run, ...]:
    """Whose data and bases are read: with what trains together with them."""
    asked = (*plan.todo, *plan.phone)
    return tuple(dict.fromkeys(one for run in asked for one in run.of_training))


def describe(work: Work) -> str:
    """A sentence for people."""
    plan = work.plan
    text = f"{len(plan.todo)} runs to do, {len(plan.finished)} finished"
    if plan.phone:
        text += f", {len(plan.phone)} to measure as a phone runs them"
    if plan.failed:
        text += (
            f", {len(plan.failed)} failed before (--retry_failed tries them "
            "again)"
        )
    if work.data or work.bases:
        text += (
            f"; before them data sets to draw: {len(work.data)}, bases to "
            f"make: {len(work.bases)}"
        )
    return f"{text}."


def commands(work: Work) -> list[str]:
    """Each piece of work as a shell command; a blank line is a barrier."""
    lines: list[str] = []
    for jobs in (
        *(work.data, work.splits, work.bases),
        *(work.publishing, work.runs, work.compressed, work.phones),
    ):
        if jobs and lines:
            lines.append("")
        lines += [shlex.join(job.command) for job in jobs]
    return lines


def _trainings(folder: Folder, runs: Sequence[Run]) -> tuple[Job, ...]:
    """One for all that train together, named by the first of them."""
    firsts = dict.fromkeys(run.of_training[0] for run in runs)
    return tuple(
        _job(folder, "run", run.id, _title(run), run.task.schedule.steps)
        for run in firsts
    )


def _drawings(
    folder: Folder, suite: Suite, tasks: Sequence[SuiteTask]
) -> tuple[Job, ...]:
    if not suite.drawn:
        return ()
    lacking = datasets.lacking(folder, suite, tasks)
    return tuple(
        _job(folder, "data", task.key, f"drawing {task.key}", 1)
        for task in lacking
    )


def _splits(
    folder: Folder, suite: Suite, runs: Sequence[Run]
) -> tuple[Job, ...]:
    needed = {run.task.key for run in runs}
    tasks = [
        task for task in runs_lib.held_out_tasks(suite) if task.key in needed
    ]
    return tuple(
        _job(folder, "split", task.key, f"splitting {task.key}", 1)
        for task in datasets.lacking(folder, suite, tasks)
    )


def _tasks_of(
    suite: Suite, runs: Sequence[Run], bases: Sequence[str]
) -> list[SuiteTask]:
    """Whose data these runs and bases need, the source first."""
    needed = {runs_lib.origin_of(suite, run.task).key for run in runs}
    for key in bases:
        base = runs_lib.base_of(suite, key)
        needed.add(base.task if isinstance(base, Base) else suite.source.key)
    return [task for task in (suite.source, *suite.tasks) if task.key in needed]


def _measured(
    suite: Suite, bases: Sequence[str], unpublished: Sequence[str]
) -> list[str]:
    """Bases that need the data of the task that they are of."""
    made = [
        key
        for key in bases
        if not kept_fingerprint(runs_lib.base_of(suite, key))
    ]
    return [*made, *unpublished]


def _base_steps(suite: Suite, key: str) -> int:
    base = runs_lib.base_of(suite, key)
    trained = isinstance(base, Base) and not kept_fingerprint(base)
    return base.schedule.steps if trained else 1


def _title(run: Run) -> str:
    tasks = ", ".join(one.task.key for one in run.of_training)
    return f"{run.method} on {tasks}"


def _job(
    folder: Folder, what: str, name: str, title: str, steps: int = 0
) -> Job:
    command = [
        sys.executable,
        "-m",
        "object_detection_patch.decathlon.running.one",
        f"--out_dir={folder.root}",
    ]
    if folder.data != folder.root / "work" / "data":
        command.append(f"--data_dir={folder.data}")
    command += [f"--{what}", name]
    log = folder.root / "work" / "logs" / f"{what}_{name}.txt"
    return Job(title, tuple(command), log, steps)
