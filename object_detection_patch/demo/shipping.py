"""The demo's way to the phone: one base published, then patches for it."""

from __future__ import annotations

import concurrent.futures
import os
import re
import sys
from collections.abc import Callable

from object_detection_patch.demo.plan import Job, Plan
from object_detection_patch.demo.processes import execute

_STEP = re.compile(r"\[(\d+)/(\d+), \d+ s\] ")
_OD_PATCH = [sys.executable, "-m", "object_detection_patch.cli"]


def export_base(plan: Plan, *, progress: Callable[[int, int], None]) -> None:
    """Publishes the trained base; its log is that of the base's training.

    Args:
      progress: called with the number of each step that begins, from 1, and
        of how many.

    Raises:
      JobFailed: naming the log.
    """

    def report(line: str) -> None:
        found = _STEP.match(line)
        if found:
            progress(int(found[1]), int(found[2]))

    execute(
        export_command(plan),
        title="export-base",
        log=plan.base_job().log,
        threads=os.cpu_count() or 1,
        on_line=report,
    )


def ship(plan: Plan, *, at_once: int, progress: Callable[[], object]) -> None:
    """Publishes patches, applies them, then runs all models as a phone would.

    Args:
      progress: called after each task, and after the models ran.

    Raises:
      JobFailed: naming the log.
    """
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        shipped = [pool.submit(_ship, plan, job) for job in plan.phone_jobs()]
        for future in concurrent.futures.as_completed(shipped):
            future.result()
            progress()
    execute(
        phone_command(plan),
        title="The phone",
        log=os.path.join(plan.output_dir, "phone_log.txt"),
        threads=1,
    )
    progress()


def export_command(plan: Plan) -> list[str]:
    base = plan.base_job()
    return [
        *_OD_PATCH,
        "export-base",
        f"--pipeline_config_path={base.config}",
        f"--checkpoint_dir={base.model_dir}",
        f"--output_dir={plan.published}",
    ]


def publish_command(plan: Plan, job: Job) -> list[str]:
    return [
        *_OD_PATCH,
        "publish",
        f"--patch={job.patch}",
        f"--base={plan.base_model}",
        f"--output={job.released}",
    ]


def apply_command(plan: Plan, job: Job) -> list[str]:
    return [
        *_OD_PATCH,
        "apply",
        f"--base={plan.base_model}",
        f"--patch={job.released}",
        f"--output={job.phone_model}",
    ]


def phone_command(plan: Plan) -> list[str]:
    """The command that applies the patches and runs the models, timed."""
    base = plan.base_job()
    command = [
        sys.executable,
        "-m",
        "object_detection_patch.demo.phone",
        f"--base={plan.base_model}",
        *("--source", base.directory, plan.records(base.task, "eval")),
    ]
    for job in plan.phone_jobs():
        command += ["--task", job.directory, plan.records(job.task, "eval")]
    return command


def _ship(plan: Plan, job: Job) -> None:
    for command in (publish_command(plan, job), apply_command(plan, job)):
        execute(command, title=job.title, log=job.log, threads=1)
