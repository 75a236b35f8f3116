"""`make demo`: from drawn data to patches, compared, in one command."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable

from object_detection_patch.demo import report, runner, shipping
from object_detection_patch.demo.plan import SOURCE, TARGETS, Job, Plan, Scale
from object_detection_patch.keras_version import choose_legacy_keras

# Before `finish` imports TensorFlow.
choose_legacy_keras()


def run(output_dir: str, *, seed: int, scale: Scale | None = None) -> int:
    """Runs the whole demo into `output_dir`; returns the exit code.

    An earlier demo there is replaced; anything else is refused.

    Raises:
      ValueError: if `output_dir` holds something else.
      processes.JobFailed: naming the log of the process that failed.
    """
    plan = Plan(os.path.abspath(output_dir), seed, scale or Scale())
    _prepare(plan.output_dir)
    seconds: dict[str, float] = {}
    _timed(seconds, "draw", lambda: _draw(plan))
    _timed(seconds, "base", lambda: _train(plan, [plan.base_job()], at_once=1))
    _timed(seconds, "export", lambda: _export(plan))
    jobs = plan.task_jobs()
    at_once = min(2, os.cpu_count() or 1)
    _timed(seconds, "tasks", lambda: _train(plan, jobs, at_once=at_once))
    _timed(seconds, "phone", lambda: _ship(plan, at_once=at_once))
    _timed(seconds, "pictures", lambda: report.draw_pictures(plan))
    text = report.write_report(plan, seconds)
    print(text)
    return 0


_MARKER = ".object_detection_patch_demo"


def _prepare(output_dir: str) -> None:
    marker = os.path.join(output_dir, _MARKER)
    if os.path.isdir(output_dir) and os.listdir(output_dir):
        if not os.path.exists(marker):
            raise ValueError(
                "`--output_dir` must be new, empty, or hold an earlier demo. "
                f"Received: {output_dir!r}."
            )
        shutil.rmtree(output_dir)
    os.makedirs(output_dir, exist_ok=True)
    with open(marker, "w", encoding="utf-8"):
        pass


def _draw(plan: Plan) -> None:
    from tqdm import tqdm

    from tfrecords_tools.synthetic import dataset

    scale = plan.scale
    total = (scale.images + scale.eval_images) * (1 + len(TARGETS))
    with tqdm(total=total, unit="image", desc="drawing data") as bar:
        dataset.write_demo_datasets(
            plan.data_dir,
            images=scale.images,
            eval_images=scale.eval_images,
            size=scale.image_size,
            seed=plan.seed,
            progress=bar.update,
        )
    classes = {
        world: len(dataset.label_map(world)) for world in (SOURCE, *TARGETS)
    }
    for job in [plan.base_job(), *plan.task_jobs()]:
        plan.write_config(job, classes[job.task])


def _train(plan: Plan, jobs: list[Job], *, at_once: int) -> None:
    from tqdm import tqdm

    names = jobs[0].title if len(jobs) == 1 else f"{len(jobs)} trainings"
    with tqdm(
        total=sum(job.steps for job in jobs), unit="step", desc=names
    ) as bar:
        seconds = runner.run_jobs(
            plan, jobs, at_once=at_once, progress=bar.update
        )
    path = os.path.join(plan.output_dir, "seconds.json")
    known = {}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            known = json.load(file)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(known | seconds, file, indent=2)


def _export(plan: Plan) -> None:
    from tqdm import tqdm

    with tqdm(total=1, unit="step", desc="publishing the base") as bar:

        def show(number: int, total: int) -> None:
            bar.total = total
            bar.update(number - 1 - bar.n)

        shipping.export_base(plan, progress=show)
        bar.update(bar.total - bar.n)


def _ship(plan: Plan, *, at_once: int) -> None:
    from tqdm import tqdm

    # The models are run in one more process, after the patches.
    total = len(plan.phone_jobs()) + 1
    with tqdm(total=total, desc="to the phone") as bar:
        shipping.ship(plan, at_once=at_once, progress=bar.update)


def _timed(
    seconds: dict[str, float], phase: str, work: Callable[[], None]
) -> None:
    started = time.monotonic()
    work()
    seconds[phase] = time.monotonic() - started
    print(f"{phase}: {seconds[phase]:.0f} s", file=sys.stderr)
