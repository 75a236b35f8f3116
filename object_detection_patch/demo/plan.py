"""What the demo trains: worlds, methods, steps and where each file goes."""

from __future__ import annotations

import dataclasses
import os

from object_detection_patch import recipes

SOURCE = "shapes"
TARGETS = ("stripes", "digits")
METHODS = ("FINE_TUNING", "BN_PATCH", "WEIGHTTRANS", "SPOTPATCH", "COMPACT")
BASE = "BASE"
# What goes to the phone: those that keep most kernels as they are.
PHONE_METHODS = ("BN_PATCH", "SPOTPATCH", "COMPACT")
# Files of a job's directory.
RELEASED_PATCH = "released.patch"
PHONE_MODEL = "task.tflite"
PHONE_RESULT = "phone.json"
PHONE_DRAWN = "drawn_phone.npz"

# The paper's 1e-4 closes gates over many thousand steps; the demo has few.
_PATCH_OPTIONS = dict.fromkeys(
    ("SPOTPATCH", "COMPACT"), "  part { binary_mask { lambda_sps: 3e-3 } }\n"
)


@dataclasses.dataclass(frozen=True)
class Scale:
    """How much is drawn and trained. Steps are of `batch_size` images."""

    images: int = 1200
    eval_images: int = 120
    image_size: int = 96
    batch_size: int = 16
    base_steps: int = 800
    task_steps: int = 300


@dataclasses.dataclass(frozen=True)
class Job:
    """One training: a method on a task, or the base on the source."""

    task: str
    method: str
    steps: int
    directory: str

    @property
    def title(self) -> str:
        return f"{self.method} on {self.task}"

    @property
    def config(self) -> str:
        return os.path.join(self.directory, "pipeline.config")

    @property
    def model_dir(self) -> str:
        return os.path.join(self.directory, "train")

    @property
    def patch(self) -> str:
        return os.path.join(self.directory, "task.patch")

    @property
    def merged(self) -> str:
        return os.path.join(self.directory, "merged")

    @property
    def result(self) -> str:
        return os.path.join(self.directory, "result.json")

    @property
    def log(self) -> str:
        return os.path.join(self.directory, "log.txt")

    @property
    def released(self) -> str:
        """The patch as phones fetch it."""
        return os.path.join(self.directory, RELEASED_PATCH)

    @property
    def phone_model(self) -> str:
        """The model that a phone makes of it."""
        return os.path.join(self.directory, PHONE_MODEL)

    @property
    def phone_result(self) -> str:
        return os.path.join(self.directory, PHONE_RESULT)

    @property
    def phone_drawn(self) -> str:
        return os.path.join(self.directory, PHONE_DRAWN)


@dataclasses.dataclass(frozen=True)
class Plan:
    """Every job of one demo, rooted at `output_dir`."""

    output_dir: str
    seed: int
    scale: Scale

    @property
    def data_dir(self) -> str:
        return os.path.join(self.output_dir, "data")

    @property
    def published(self) -> str:
        """What export-base wrote: the base that every task starts from."""
        return os.path.join(self.output_dir, "published")

    @property
    def base_model(self) -> str:
        return os.path.join(self.published, "base.tflite")

    @property
    def published_checkpoint(self) -> str:
        return os.path.join(self.published, "checkpoint", "ckpt-0")

    @property
    def published_config(self) -> str:
        return os.path.join(self.published, "checkpoint", "pipeline.config")

    def base_job(self) -> Job:
        return Job(
            SOURCE,
            BASE,
            self.scale.base_steps,
            os.path.join(self.output_dir, "base"),
        )

    def task_jobs(self) -> list[Job]:
        return [
            Job(
                task,
                method,
                self.scale.task_steps,
                os.path.join(self.output_dir, task, method.lower()),
            )
            for task in TARGETS
            for method in METHODS
        ]

    def phone_jobs(self) -> list[Job]:
        """The tasks whose patches a phone applies."""
        return [job for job in self.task_jobs() if job.method in PHONE_METHODS]

    def records(self, world: str, split: str) -> str:
        return os.path.join(self.data_dir, world, f"{world}_{split}.record-*")

    def label_map(self, world: str) -> str:
        return os.path.join(self.data_dir, world, f"{world}_label_map.pbtxt")

    def write_config(self, job: Job, num_classes: int) -> None:
        """Writes the job's pipeline.config, an ordinary file to read."""
        os.makedirs(job.directory, exist_ok=True)
        is_base = job.method == BASE
        options = _PATCH_OPTIONS.get(job.method, "")
        text = recipes.pipeline_text(
            recipes.MINI_96,
            recipes.TaskData(
                num_classes=num_classes,
                train_records=self.records(job.task, "train"),
                eval_records=self.records(job.task, "eval"),
                label_map=self.label_map(job.task),
                # A mirrored digit is another digit, or none.
                flip=job.task != "digits",
                crop=False,
            ),
            preset=None if is_base else job.method,
            fine_tune_checkpoint=None if is_base else self.published_checkpoint,
            patch_options=options
            + recipes.options_for_steps(job.method, job.steps),
            num_steps=job.steps,
            batch_size=self.scale.batch_size,
            header=f"# {job.title}",
        )
        with open(job.config, "w", encoding="utf-8") as file:
            file.write(text)
