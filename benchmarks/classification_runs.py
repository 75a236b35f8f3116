"""What is trained: one classifier, one start, one task, one patch."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence

import msgspec
from classification_hosts import HOSTS

from object_detection_patch.decathlon.report import family_papers
from object_detection_patch.decathlon.running.record import Environment

SOURCE = "oid"
"""The world whose objects classifiers are trained on first."""
TRAINED, RANDOM = "trained", "random"

# Adam's, at the peak. Few numbers bear, and want, larger steps (the paper's
# Figure 9). Chosen of two to five for MobileNetV2 on digits, by the images that
# are measured with, but for FINE_TUNING's; no other row took part.
RATES = {
    "FEATURE_EXTRACTOR": 3e-2,
    "BN_STATISTICS": 3e-2,
    "SCALE_BIAS_ONLY": 1e-1,
    "BN_PATCH": 3e-2,
    "DW_PATCH": 3e-3,
    "FINE_TUNING": 1e-3,
}
_PRETRAINING_RATE = 2e-3
_SOURCE_IMAGES = 4000
EVALUATION_IMAGES = 400


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that decides a result, but the machine.

    Args:
      host: a key of `HOSTS`.
      start: `trained` on the source, or `random`.
      task: `digits` or a drawn world.
      method: a preset, or "" for a training without a patch.
    """

    host: str
    start: str
    task: str
    method: str
    seed: int
    steps: int
    pretraining: int
    batch_size: int
    rate: float
    train_images: int

    @property
    def id(self) -> str:
        method = self.method.lower() or "whole"
        parts = (self.host, self.start, self.task, method, f"seed{self.seed}")
        return "__".join(parts)


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What a run gave.

    Args:
      accuracy: share of the evaluation images with the right class.
      chance: what the most frequent class would give.
      trained_parameters: numbers that the optimizer moved.
      patch_bytes: of the patch's file, floats as they are.
      seconds: of building, training and evaluation.
    """

    run: Run
    accuracy: float
    chance: float
    trained_parameters: int
    patch_bytes: int
    seconds: float
    environment: Environment


def plan(
    hosts: Sequence[str],
    tasks: Sequence[str],
    methods: Sequence[str],
    *,
    random_start: bool,
    steps: int | None,
    pretraining: float,
    train_images: int,
    seed: int,
) -> list[Run]:
    """The runs, in the order in which they are trained.

    Args:
      tasks, methods, steps: nothing for those of each host.
      random_start: train the SSD's extractor from random numbers too, on the
        first task (the right half of the paper's Table 3).
      pretraining: times the steps that hosts are trained on the source.
    """
    found = []
    for host in hosts:
        before = round(HOSTS[host].pretraining * pretraining)
        learned = tasks or HOSTS[host].tasks
        places = [(TRAINED, task) for task in learned]
        if random_start and HOSTS[host].comes_trained:
            places.append((RANDOM, learned[0]))
        found += [
            Run(
                host=host,
                start=start,
                task=task,
                method=method,
                seed=seed,
                steps=steps or HOSTS[host].steps,
                pretraining=before if start == TRAINED else 0,
                batch_size=HOSTS[host].batch_size,
                rate=RATES[method],
                train_images=train_images,
            )
            for start, task in places
            for method in methods or HOSTS[host].methods
            if _fits(host, start, method)
        ]
    return found


def _fits(host: str, start: str, method: str) -> bool:
    """Whether a network can carry a patch, and Table 3 has it from random."""
    if start == RANDOM:
        column = "random to ImageNet"
        printed = family_papers.figure("patches_table3", method, column)
        return printed is not None
    # InceptionV3 has no depthwise convolution.
    return not (host == "inception" and "DW" in method)


def on_source(run: Run) -> Run:
    """The training that a run with `pretraining` starts from."""
    return Run(
        host=run.host,
        start=RANDOM,
        task=SOURCE,
        method="",
        seed=run.seed,
        steps=run.pretraining,
        pretraining=0,
        batch_size=run.batch_size,
        rate=_PRETRAINING_RATE,
        train_images=_SOURCE_IMAGES,
    )


def kept(folder: pathlib.Path, run: Run) -> Result | None:
    """The result of the same run, if there is one."""
    path = path_of(folder, run)
    if not path.exists():
        return None
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Result)
    except msgspec.DecodeError as error:
        raise ValueError(
            f"{path} must be a result of this program; remove it, or take "
            f"another --output_dir. Received: {error}."
        ) from error
    return found if found.run == run else None


def path_of(folder: pathlib.Path, run: Run) -> pathlib.Path:
    return folder / f"{run.id}.json"
