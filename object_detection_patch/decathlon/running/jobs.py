"""Processes side by side, each one command line with a log of its own."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import os
import pathlib
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

# As the OD API's loop and that of `multi_task` say it.
_STEP = re.compile(r"Step (\d+) per-step time|^step ([\d,]+) of ")
_TAIL_LINES = 30
_GRACE_SECONDS = 10.0


@dataclasses.dataclass(frozen=True)
class Job:
    """A command to run.

    Args:
      title: for people.
      steps: of training, that its output counts.
    """

    title: str
    command: tuple[str, ...]
    log: pathlib.Path
    steps: int = 0


@dataclasses.dataclass(frozen=True)
class Ended:
    """A job that ended.

    Args:
      code: its process's exit code; -N if signal N ended it.
    """

    job: Job
    code: int

    @property
    def ending(self) -> str:
        """How its process ended, for people."""
        if self.code < 0:
            name = signal.strsignal(-self.code) or "unknown"
            return f"the process was ended by signal {-self.code} ({name})"
        return f"the process ended with exit code {self.code}"

    def tail(self) -> str:
        """The last lines of its log."""
        text = self.job.log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-_TAIL_LINES:])


class Jobs:
    """Runs jobs, `at_once` of them; TensorFlow gets its share of the cores.

    Tracing takes one core, so two processes of one thread each finish sooner
    than one process of two.

    Args:
      on_steps: called with the number of newly finished steps, from any
        thread, one call at a time.
      hold: descriptors that the processes keep open.
    """

    def __init__(
        self,
        at_once: int,
        on_steps: Callable[[int], object],
        *,
        hold: Sequence[int] = (),
    ) -> None:
        self._at_once = at_once
        self._on_steps = on_steps
        self._hold = hold
        self._running: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()
        self._stopped = False
        self._threads = 1

    def run(self, jobs: Iterable[Job]) -> Iterator[Ended]:
        """Yields each job as it ends; stopped early, it ends them all."""
        self._stopped = False
        jobs = list(jobs)
        at_once = max(1, min(self._at_once, len(jobs)))
        self._threads = max(1, (os.cpu_count() or 1) // at_once)
        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            futures = [pool.submit(self._run_one, job) for job in jobs]
            try:
                for future in concurrent.futures.as_completed(futures):
                    yield future.result()
            finally:
                self._stop(futures)

    def _stop(self, futures: list[concurrent.futures.Future[Ended]]) -> None:
        for future in futures:
            future.cancel()
        with self._lock:
            self._stopped = True
            running = list(self._running)
        for process in running:
            process.terminate()
        end = time.monotonic() + _GRACE_SECONDS
        for process in running:
            try:
                process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()

    def _run_one(self, job: Job) -> Ended:
        job.log.parent.mkdir(parents=True, exist_ok=True)
        with open(job.log, "w", encoding="utf-8") as log:
            process = self._start(job)
            if process is None:
                return Ended(job, -signal.SIGTERM)
            reached = 0
            with process:
                try:
                    for line in process.stdout or ():
                        log.write(line)
                        reached = self._count(line, reached)
                except BaseException:
                    # A full disk, say: nobody would listen to it any more.
                    process.kill()
                    raise
        with self._lock:
            self._running.discard(process)
            # Skipped, failed or not counted to the last: the bar must end.
            self._on_steps(job.steps - reached)
        return Ended(job, process.returncode)

    def _start(self, job: Job) -> subprocess.Popen[str] | None:
        environment = os.environ | {
            "TF_CPP_MIN_LOG_LEVEL": "2",
            "TF_NUM_INTRAOP_THREADS": str(self._threads),
            "TF_NUM_INTEROP_THREADS": str(self._threads),
            "PYTHONUNBUFFERED": "1",
        }
        with self._lock:
            if self._stopped:
                return None
            process = subprocess.Popen(
                job.command,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                env=environment,
                pass_fds=self._hold,
            )
            self._running.add(process)
        return process

    def _count(self, line: str, reached: int) -> int:
        found = _STEP.search(line)
        if not found:
            return reached
        now = int((found[1] or found[2]).replace(",", ""))
        with self._lock:
            self._on_steps(now - reached)
        return now
