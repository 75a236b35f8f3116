"""`od-patch decathlon run`: data, bases and runs of a suite, in order."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from tqdm import tqdm

from object_detection_patch.decathlon.running import datasets, keeping
from object_detection_patch.decathlon.running import plan as plans
from object_detection_patch.decathlon.running import work as works
from object_detection_patch.decathlon.running.folder import Folder, FolderError
from object_detection_patch.decathlon.running.jobs import Ended, Job, Jobs
from object_detection_patch.decathlon.running.lock import locked
from object_detection_patch.decathlon.running.work import Work
from object_detection_patch.decathlon.suite import runs as runs_lib
from object_detection_patch.decathlon.suite.runs import Run
from object_detection_patch.decathlon.suite.suite import (
    Base,
    Suite,
    kept_fingerprint,
)


class JobError(RuntimeError):
    """Data or a base that later work needs could not be made."""


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
    with _begun(folder, suite, runs, phone, retry_failed) as (work, lock):
        print(works.describe(work), file=sys.stderr, flush=True)
        return _Doing(folder, suite, jobs, lock).do(work)


def list_commands(
    folder: Folder,
    suite: Suite,
    runs: Sequence[Run],
    *,
    phone: bool = False,
    retry_failed: bool = False,
) -> list[str]:
    """What is left of `runs`, as `commands`; writes the suite they read.

    Raises:
      FolderError, RecordError: as `run_suite`.
    """
    with _begun(folder, suite, runs, phone, retry_failed) as (work, _):
        commands = works.commands(work)
    if not commands:
        print(works.describe(work), file=sys.stderr)
    return commands


@contextlib.contextmanager
def _begun(
    folder: Folder,
    suite: Suite,
    runs: Sequence[Run],
    phone: bool,
    retry_failed: bool,
) -> Iterator[tuple[Work, int]]:
    """What is left, once all is there that it needs; and what holds it."""
    plans.require_decathlon(folder)
    with locked(folder) as lock:
        plans.refuse_mixed_bases(folder)
        work = works.find_work(
            folder, suite, runs, phone=phone, retry_failed=retry_failed
        )
        _require_data(folder, suite, work)
        plans.settle_suite(folder, suite)
        for task in (suite.source, *runs_lib.all_tasks(suite)):
            datasets.keep_reports(folder, task)
        yield work, lock


class _Doing:
    """Does work, kind by kind, with a bar for each."""

    def __init__(
        self, folder: Folder, suite: Suite, at_once: int, lock: int
    ) -> None:
        self._folder = folder
        self._suite = suite
        self._at_once = at_once
        self._lock = lock

    def do(self, work: Work) -> int:
        """Returns how many runs failed, or could not be measured."""
        for jobs, unit in (
            *((work.data, "data set"), (work.splits, "data set")),
            *((work.bases, "step"), (work.publishing, "base")),
        ):
            for ended in self._failed(jobs, unit):
                raise JobError(_failure(ended))
        runs = self._do_runs(work.runs, "step", on_phone=False)
        runs |= self._do_runs(work.compressed, "step", on_phone=False)
        # What failed just now has nothing to measure.
        phones = [job for job in work.phones if _name(job) not in runs]
        return len(runs | self._do_runs(phones, "model", on_phone=True))

    def _do_runs(
        self, jobs: Sequence[Job], unit: str, *, on_phone: bool
    ) -> set[str]:
        """Ids of those that failed."""
        failed = set()
        for ended in self._failed(jobs, unit):
            lost = self._lost(ended, on_phone=on_phone)
            failed |= lost
            if lost:
                tqdm.write(
                    f"{ended.job.title} failed, see {ended.job.log}",
                    file=sys.stderr,
                )
        return failed

    def _lost(self, ended: Ended, *, on_phone: bool) -> set[str]:
        """Ids of the runs of a job that broke or failed, but for results."""
        runs = runs_lib.find_run(self._suite, _name(ended.job)).of_training
        if ended.code not in (keeping.FAILED, keeping.REFUSED):
            why = f"{ended.ending}:\n{ended.tail()}"
            return {
                run.id
                for run in runs
                if keeping.keep_death(
                    self._folder, self._suite, run, why, on_phone=on_phone
                )
            }
        if len(runs) == 1:
            return {runs[0].id}
        return {
            run.id for run in runs if not keeping.has_result(self._folder, run)
        }

    def _failed(self, jobs: Sequence[Job], unit: str) -> Iterator[Ended]:
        """Does all; yields those that end with an error."""
        if not jobs:
            return
        total = sum(job.steps for job in jobs)
        with tqdm(total=total, unit=unit, smoothing=0.02) as bar:
            pool = Jobs(self._at_once, bar.update, hold=(self._lock,))
            for ended in pool.run(jobs):
                bar.set_description(ended.job.title)
                if ended.code:
                    yield ended


def _name(job: Job) -> str:
    return job.command[-1]


def _failure(ended: Ended) -> str:
    return (
        f"{ended.job.title}: {ended.ending}; {ended.job.log} tells why:\n"
        f"{ended.tail()}"
    )


def _require_data(folder: Folder, suite: Suite, work: Work) -> None:
    """Raises FolderError with a line for whatever is missing."""
    if suite.drawn:
        return
    faults = []
    for require in _required(folder, suite, work):
        try:
            require()
        except FolderError as error:
            faults.append(str(error))
    if faults:
        raise FolderError("\n".join(dict.fromkeys(faults)))


def _required(
    folder: Folder, suite: Suite, work: Work
) -> Iterator[Callable[[], None]]:
    """Checks of the records and bases that work reads."""
    for run in works.runs_needed(work.plan):
        task = runs_lib.origin_of(suite, run.task)
        yield partial(datasets.require_records, folder, suite, task)
    for job in (*work.bases, *work.publishing):
        base = runs_lib.base_of(suite, _name(job))
        task = suite.source
        if kept_fingerprint(base) and job in work.bases:
            continue  # Its data are read when it is published.
        if isinstance(base, Base):
            task = runs_lib.task_of(suite, base.task)
        else:
            yield partial(datasets.require_given, folder, base)
        yield partial(datasets.require_records, folder, suite, task)
