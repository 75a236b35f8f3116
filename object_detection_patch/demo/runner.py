"""Runs the demo's jobs as processes and shows how far they are."""

from __future__ import annotations

import concurrent.futures
import functools
import os
import re
import sys
import time
from collections.abc import Callable

from object_detection_patch.demo.plan import BASE, TARGETS, Job, Plan
from object_detection_patch.demo.processes import execute

_STEP = re.compile(r"Step (\d+) per-step time")


def run_job(
    plan: Plan, job: Job, *, threads: int, progress: Callable[[int], None]
) -> dict[str, float]:
    """Trains one job, then extracts, merges and evaluates it.

    Args:
      threads: TensorFlow's threads in each process.
      progress: called with the number of newly finished steps.

    Returns:
      Seconds spent, by phase.

    Raises:
      JobFailed: naming the log.
    """
    run = functools.partial(
        execute, title=job.title, log=job.log, threads=threads
    )
    started = time.monotonic()
    run(train_command(plan, job), on_line=_step_counter(progress))
    trained = time.monotonic()
    run(finish_command(plan, job))
    return {
        "train": trained - started,
        "finish": time.monotonic() - trained,
    }


def train_command(plan: Plan, job: Job) -> list[str]:
    """The command that a user would type to train this job."""
    return [
        sys.executable,
        "-m",
        "object_detection_patch.model_main_tf2",
        f"--pipeline_config_path={job.config}",
        f"--model_dir={job.model_dir}",
        f"--checkpoint_every_n={job.steps}",
        f"--seed={plan.seed}",
        "--norecord_summaries",
    ]


def finish_command(plan: Plan, job: Job) -> list[str]:
    """The command that extracts, merges and evaluates this job."""
    command = [
        sys.executable,
        "-m",
        "object_detection_patch.demo.finish",
        f"--config={job.config}",
        f"--checkpoint_dir={job.model_dir}",
        f"--result={job.result}",
        f"--drawn={drawn_path(job)}",
    ]
    if job.method == BASE:
        command += [
            f"--also={plan.records(task, 'eval')}:{drawn_path(job, task)}"
            for task in TARGETS
        ]
    else:
        command += [
            f"--patch={job.patch}",
            f"--merged={job.merged}",
            f"--base_config={plan.published_config}",
            f"--base_checkpoint={plan.published_checkpoint}",
        ]
    return command


def drawn_path(job: Job, task: str | None = None) -> str:
    """Detections of a job's model on its own task, or on another."""
    return os.path.join(job.directory, f"drawn_{task or job.task}.npz")


def run_jobs(
    plan: Plan,
    jobs: list[Job],
    *,
    at_once: int,
    progress: Callable[[int], None],
) -> dict[str, dict[str, float]]:
    """Runs jobs side by side; title -> seconds by phase.

    Tracing takes one core, so two processes of one thread each finish
    sooner than one process of two.
    """
    threads = max(1, (os.cpu_count() or 1) // at_once)
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        futures = {
            pool.submit(
                run_job, plan, job, threads=threads, progress=progress
            ): job
            for job in jobs
        }
        seconds = {}
        try:
            for future in concurrent.futures.as_completed(futures):
                seconds[futures[future].title] = future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return seconds


def _step_counter(progress: Callable[[int], None]) -> Callable[[str], None]:
    """Calls `progress` with the steps that a line of training is on."""
    reached = 0

    def count(line: str) -> None:
        nonlocal reached
        found = _STEP.search(line)
        if found:
            progress(int(found[1]) - reached)
            reached = int(found[1])

    return count
