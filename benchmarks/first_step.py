"""How soon a training's first steps are done, with and without two savings.

    python benchmarks/first_step.py [--pairs 3] [--steps 300]

Trains SPOTPATCH on drawn data through the OD API's own loop, in a process of
its own each time: as it is, and with the optimizer's slots made in the first
step (which is then traced twice) and the input code converted by autograph.
The two alternate; what counts is the ratio. TensorFlow has one thread, as
each of a decathlon's processes on two cores has.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

_WAYS = ("without", "with")
_TASK = "stripes"
_IMAGES, _SIDE, _SEED = 64, 96, 7


def main() -> int:
    options = _parser().parse_args()
    if options.way:
        print(json.dumps(_seconds(options.way, options.steps, options.folder)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        _prepare(folder)
        seconds: dict[str, list[float]] = {way: [] for way in _WAYS}
        for pair in range(options.pairs):
            for way in _WAYS if pair % 2 else _WAYS[::-1]:
                seconds[way].append(_in_process(way, options.steps, folder))
    ratios = [
        one / other
        for one, other in zip(seconds["with"], seconds["without"], strict=True)
    ]
    print(
        json.dumps(
            {
                "steps": options.steps,
                "seconds": seconds,
                "median_ratio": statistics.median(ratios),
            },
            indent=2,
        )
    )
    return 0


def _prepare(folder: str) -> None:
    """Draws data and trains a base of one step, which suffices here."""
    from object_detection_patch import recipes
    from tfrecords_tools.synthetic import dataset

    dataset.write_demo_datasets(
        folder, images=_IMAGES, eval_images=4, size=_SIDE, seed=_SEED
    )
    task = recipes.TaskData(
        num_classes=len(dataset.label_map(_TASK)),
        train_records=f"{folder}/{_TASK}/{_TASK}_train.record-*",
        eval_records=f"{folder}/{_TASK}/{_TASK}_eval.record-*",
        label_map=f"{folder}/{_TASK}/{_TASK}_label_map.pbtxt",
        crop=False,
    )
    for name, preset, checkpoint in (
        ("base", None, None),
        ("task", "SPOTPATCH", f"{folder}/base/ckpt-2"),
    ):
        text = recipes.pipeline_text(
            recipes.MINI_96,
            task,
            preset=preset,
            fine_tune_checkpoint=checkpoint,
            num_steps=1,
            batch_size=16,
        )
        pathlib.Path(folder, f"{name}.config").write_text(
            text, encoding="utf-8"
        )
    _train(f"{folder}/base.config", f"{folder}/base", 1)


def _in_process(way: str, steps: int, folder: str) -> float:
    output = subprocess.run(
        [sys.executable, __file__]
        + [f"--way={way}", f"--steps={steps}", f"--folder={folder}"],
        env=os.environ
        | {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    ).stdout
    return json.loads(output.splitlines()[-1])


def _seconds(way: str, steps: int, folder: str) -> float:
    with contextlib.ExitStack() as stack:
        if way == "without":
            stack.enter_context(_without())
        model_dir = stack.enter_context(tempfile.TemporaryDirectory(dir=folder))
        started = time.perf_counter()
        _train(f"{folder}/task.config", model_dir, steps)
        return time.perf_counter() - started


@contextlib.contextmanager
def _without() -> Iterator[None]:
    """Slots in the first step, and autograph over the input code."""
    from unittest import mock

    from object_detection_patch.od_api import repeatable, train_loop

    @contextlib.contextmanager
    def no_slots() -> Iterator[object]:
        yield lambda model: None

    def converting(original: object) -> object:
        return lambda dataset, function, **unused: dataset.map(function)

    with (
        mock.patch.object(train_loop, "making_slots", no_slots),
        mock.patch.object(repeatable, "_map_in_order", converting),
    ):
        yield


def _train(config: str, model_dir: str, steps: int) -> None:
    from object_detection_patch.od_api import (
        compat,
        extractors,
        pipeline_config,
        repeatable,
    )
    from object_detection_patch.training import loop

    compat.enable()
    extractors.register()
    from object_detection import model_lib_v2

    patch = pipeline_config.patch_of(pipeline_config.read_pipeline(config))
    with contextlib.ExitStack() as stack:
        stack.enter_context(repeatable.repeatable(_SEED))
        if patch is not None:
            stack.enter_context(loop.patched(patch, model_dir=model_dir))
        stack.enter_context(contextlib.redirect_stdout(sys.stderr))
        model_lib_v2.train_loop(
            pipeline_config_path=config,
            model_dir=model_dir,
            train_steps=steps,
            checkpoint_every_n=steps,
            record_summaries=False,
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--way", choices=_WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
