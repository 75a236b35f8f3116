"""`od-patch decathlon run`: data, bases and runs of a suite, in order."""

from __future__ import annotations

import dataclasses
import glob
import shlex
import sys
from collections.abc import Sequence

from object_detection_patch.decathlon.running import one
from object_detection_patch.decathlon.running import plan as plans
from object_detection_patch.decathlon.running.folder import (
    Folder,
    FolderError,
    locked,
    require_records,
)
from object_detection_patch.decathlon.running.hints import how_to_convert
from object_detection_patch.decathlon.running.jobs import Ended, Job, Jobs
from object_detection_patch.decathlon.running.phases import Phases
from object_detection_patch.decathlon.suite import runs as runs_lib
from object_detection_patch.decathlon.suite.runs import HELD_OUT, Run
from object_detection_patch.decathlon.suite.suite import (
    Base,
    GivenBase,
    Suite,
    SuiteTask,
)

_DATA_FILES = ("train_records", "eval_records", "label_map")


@dataclasses.dataclass(frozen=True)
class Work:
    """What is left to do, in the order in which it can be done."""

    data: tuple[Job, ...]
    splits: tuple[Job, ...]
    bases: tuple[Job, ...]
    runs: tuple[Job, ...]
    phones: tuple[Job, ...]
    plan: plans.Plan


def run_suite(
    folder: Folder,
    suite: Suite,
    runs: Sequence[Run],
    *,
    jobs: int,
    phone: bool = False,
    retry_failed: bool = False,
) -> int:
    """Does whatever is left of `runs`; returns how many failed.

    Raises:
      FolderError: for a directory in use, of something else, or of results
        that must not be mixed with these; for data that are missing.
      RecordError: for a record that is not whole.
      JobError: if data or a base could not be made.
    """
    plans.require_decathlon(folder)
    with locked(folder):
        work = find_work(
            folder, suite, runs, phone=phone, retry_failed=retry_failed
        )
        _require_data(folder, suite, work)
        plans.settle_suite(folder, suite)
        print(describe(work), file=sys.stderr, flush=True)
        return _do(folder, suite, work, jobs)


class JobError(RuntimeError):
    """Data or a base that all later work needs could not be made."""


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
    bases = plans.bases_todo(folder, suite, (*planned.todo, *planned.phone))
    tasks = _tasks_of(suite, planned.todo, bases)
    return Work(
        tuple(
            _job(folder, "data", task.key, f"drawing {task.key}", 1)
            for task in tasks
            if suite.drawn and not _has_data(folder, task)
        ),
        tuple(
            _job(folder, "split", task.key, f"splitting {task.key}", 1)
            for task in runs_lib.held_out_tasks(suite)
            if task in {run.task for run in planned.todo}
            and not _has_data(folder, task)
        ),
        tuple(
            _job(folder, "base", key, f"base {key}", _base_steps(suite, key))
            for key in bases
        ),
        tuple(
            _job(
                folder,
                "run",
                run.id,
                f"{run.method} on {run.task.key}",
                run.task.schedule.steps,
            )
            for run in planned.todo
        ),
        tuple(
            _job(folder, "phone", run.id, f"{run.method} on {run.task.key}", 1)
            for run in planned.phone
        ),
        planned,
    )


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
            f"; before them {len(work.data)} data sets to draw and "
            f"{len(work.bases)} bases to train"
        )
    return f"{text}."


def commands(work: Work) -> list[str]:
    """Each piece of work as a shell command; a blank line is a barrier."""
    lines = []
    for jobs in _in_order(work):
        if jobs and lines:
            lines.append("")
        lines += [shlex.join(job.command) for job in jobs]
    return lines


def _in_order(work: Work) -> tuple[tuple[Job, ...], ...]:
    """What needs what stands before it."""
    return work.data, work.splits, work.bases, work.runs, work.phones


def _do(folder: Folder, suite: Suite, work: Work, at_once: int) -> int:
    from tqdm import tqdm

    failed = 0
    units = ("data set", "data set", "step", "step", "model")
    for jobs, unit in zip(_in_order(work), units, strict=True):
        total = sum(job.steps for job in jobs)
        if not jobs:
            continue
        with tqdm(total=total, unit=unit, smoothing=0.02) as bar:
            for ended in Jobs(at_once, bar.update).run(jobs):
                bar.set_description(ended.job.title)
                if not ended.code:
                    continue
                if jobs not in (work.runs, work.phones):
                    raise JobError(_failure(ended))
                failed += 1
                bar.write(f"{ended.job.title} failed, see {ended.job.log}")
                if jobs is work.runs:
                    _keep_failure(folder, suite, ended)
    return failed


def _keep_failure(folder: Folder, suite: Suite, ended: Ended) -> None:
    """Records a process that was killed before it could record itself."""
    run = one.find_run(suite, ended.job.command[-1])
    path = folder.run_record(run.id)
    if path.exists() and path.stat().st_mtime > ended.started:
        return
    one.write_record(
        folder,
        suite,
        run,
        Phases(),
        None,
        f"The process ended with exit code {ended.code}:\n{ended.tail()}",
    )


def _failure(ended: Ended) -> str:
    return (
        f"{ended.job.title} ended with exit code {ended.code}; "
        f"{ended.job.log} tells why:\n{ended.tail()}"
    )


def _require_data(folder: Folder, suite: Suite, work: Work) -> None:
    if suite.drawn:
        return
    for key in sorted(
        {run.task.key.removesuffix(HELD_OUT) for run in work.plan.todo}
    ):
        _require_task(folder, runs_lib.task_of(suite, key))
    for job in work.bases:
        base = runs_lib.base_of(suite, job.command[-1])
        if isinstance(base, Base):
            _require_task(folder, runs_lib.task_of(suite, base.task))
        else:
            _require_given(folder, base)


def _require_task(folder: Folder, task: SuiteTask) -> None:
    hint = how_to_convert(folder, task.key)
    require_records(folder, task, hint=hint)


def _require_given(folder: Folder, base: GivenBase) -> None:
    config, checkpoint = folder.given(base)
    for path, pattern in ((config, config), (checkpoint, f"{checkpoint}*")):
        if not glob.glob(pattern):
            raise FolderError(
                f"Base {base.key} needs its pipeline.config and checkpoint. "
                f"Received: nothing at {path}."
            )


def _tasks_of(
    suite: Suite, runs: Sequence[Run], bases: Sequence[str]
) -> list[SuiteTask]:
    """Whose data these runs and bases need, the source first."""
    needed = {run.task.key.removesuffix(HELD_OUT) for run in runs}
    for key in bases:
        base = runs_lib.base_of(suite, key)
        needed.add(base.task if isinstance(base, Base) else suite.source.key)
    if suite.base.key in bases:
        # Its detections in every task's images are drawn.
        needed |= {task.key for task in suite.tasks}
    return [task for task in (suite.source, *suite.tasks) if task.key in needed]


def _has_data(folder: Folder, task: SuiteTask) -> bool:
    return all(
        glob.glob(folder.path(getattr(task, name))) for name in _DATA_FILES
    )


def _base_steps(suite: Suite, key: str) -> int:
    base = runs_lib.base_of(suite, key)
    return base.schedule.steps if isinstance(base, Base) else 0


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
