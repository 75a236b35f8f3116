"""Step time and peak memory of SPOTPATCH against FINE_TUNING.

    python benchmarks/train_step.py [--image_size 96 320] [--steps 30]

Times are taken in one process, the two methods' steps alternating, so that a
change of the machine's speed hits both; what counts is the ratio. Peak memory
is the largest resident size of a process of its own for each method, with and
without the interpreter and TensorFlow (what a process holds before it builds
a model).
"""

from __future__ import annotations

import argparse
import json
import pathlib
import re
import statistics
import subprocess
import sys
import time
from typing import Any

import numpy as np

from object_detection_patch import recipes
from object_detection_patch.od_api import base_model, compat

METHODS = ("FINE_TUNING", "SPOTPATCH")
_ARCHITECTURES = {96: recipes.MINI_96, 320: recipes.NARROW_320}
_CLASSES = 8


def main() -> int:
    options = _parser().parse_args()
    if options.peak_of:
        print(json.dumps(_peak(options.peak_of, options)))
        return 0
    for image_size in options.image_size:
        print(json.dumps(_compare(image_size, options), indent=2))
    return 0


def _compare(image_size: int, options: argparse.Namespace) -> dict[str, Any]:
    runs = {m: Run(m, image_size, options.batch_size) for m in METHODS}
    first = {method: run.timed() for method, run in runs.items()}
    for run in runs.values():
        run.timed()
    times: dict[str, list[float]] = {method: [] for method in METHODS}
    for index in range(options.steps):
        order = METHODS if index % 2 else METHODS[::-1]
        for method in order:
            times[method].append(runs[method].timed())
    tuned, patched = (times[method] for method in METHODS)
    peaks = {
        method: _peak_in_process(method, image_size, options)
        for method in METHODS
    }
    return {
        "image_size": image_size,
        "batch_size": options.batch_size,
        "steps": options.steps,
        "seconds_to_first_step": first,
        "median_step_seconds": {
            method: statistics.median(times[method]) for method in METHODS
        },
        "step_time_ratio": statistics.median(
            one / other for one, other in zip(patched, tuned, strict=True)
        ),
        "peak_bytes": peaks,
        "peak_ratio": peaks["SPOTPATCH"]["peak"] / peaks["FINE_TUNING"]["peak"],
        "peak_ratio_without_runtime": _own(peaks["SPOTPATCH"])
        / _own(peaks["FINE_TUNING"]),
    }


class Run:
    """One method's model, optimizer and traced training step."""

    def __init__(self, method: str, image_size: int, batch_size: int) -> None:
        compat.enable()
        import tensorflow as tf
        from object_detection import model_lib_v2
        from object_detection.builders import optimizer_builder

        pipeline = _pipeline(method, image_size, batch_size)
        model = _patched(pipeline)
        step = tf.Variable(0, dtype=tf.int64)
        optimizer, _ = optimizer_builder.build(
            pipeline.train_config.optimizer, global_step=step
        )
        features, labels = _batch(image_size, batch_size)

        @tf.function
        def train_step() -> tf.Tensor:
            return model_lib_v2.eager_train_step(
                model,
                dict(features),
                dict(labels),
                False,
                optimizer,
                0.001,
                global_step=step,
            )

        self._train_step = train_step

    def timed(self) -> float:
        started = time.perf_counter()
        float(self._train_step())
        return time.perf_counter() - started


def patched_model(method: str, image_size: int) -> Any:
    """A patched SSD with fresh weights."""
    return _patched(_pipeline(method, image_size, batch_size=1))


def _patched(pipeline: Any) -> Any:
    from object_detection_patch.od_api import pipeline_config
    from object_detection_patch.training import patched_model

    model = patched_model.patch_ssd(
        base_model.build_model(pipeline.model, is_training=True),
        pipeline_config.patch_of(pipeline),
    )
    model.patch.initialise()
    return model


def _pipeline(method: str, image_size: int, batch_size: int) -> Any:
    from google.protobuf import text_format
    from object_detection.protos import pipeline_pb2

    from object_detection_patch.protos import (  # noqa: F401
        pipeline_extension_pb2,
    )

    pipeline = pipeline_pb2.TrainEvalPipelineConfig()
    text_format.Merge(
        recipes.pipeline_text(
            _ARCHITECTURES[image_size],
            recipes.TaskData(_CLASSES, "unused", "unused", "unused"),
            preset=method,
            fine_tune_checkpoint=None,
            num_steps=1000,
            batch_size=batch_size,
        ),
        pipeline,
    )
    return pipeline


def _batch(image_size: int, batch_size: int) -> tuple[dict, dict]:
    """Random images with four boxes each, as the input pipeline pads them."""
    import tensorflow as tf
    from object_detection.core import standard_fields

    fields = standard_fields.InputDataFields
    random = np.random.default_rng(0)
    corners = random.uniform(0, 0.5, (batch_size, 4, 2))
    boxes = np.concatenate([corners, corners + 0.4], axis=-1)
    classes = random.integers(0, _CLASSES, (batch_size, 4))
    shape = (batch_size, image_size, image_size, 3)
    features = {
        fields.image: random.uniform(-1, 1, shape).astype(np.float32),
        fields.true_image_shape: np.tile(
            np.array(shape[1:], np.int32), (batch_size, 1)
        ),
    }
    labels = {
        fields.groundtruth_boxes: boxes.astype(np.float32),
        fields.groundtruth_classes: np.eye(_CLASSES, dtype=np.float32)[classes],
        fields.groundtruth_weights: np.ones((batch_size, 4), np.float32),
        fields.num_groundtruth_boxes: np.full(batch_size, 4, np.int32),
    }
    as_tensors = tf.nest.map_structure(tf.constant, (features, labels))
    return as_tensors


def _peak_in_process(
    method: str, image_size: int, options: argparse.Namespace
) -> dict[str, int]:
    output = subprocess.run(
        [
            sys.executable,
            __file__,
            f"--peak_of={method}",
            f"--image_size={image_size}",
            f"--batch_size={options.batch_size}",
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return json.loads(output.splitlines()[-1])


def _peak(method: str, options: argparse.Namespace) -> dict[str, int]:
    compat.enable()
    from object_detection import model_lib_v2  # noqa: F401

    runtime = _resident_bytes()
    run = Run(method, options.image_size[0], options.batch_size)
    for _ in range(5):
        run.timed()
    return {"peak": _resident_bytes(), "runtime": runtime}


def _resident_bytes() -> int:
    """The most that this process ever held; Linux.

    Not getrusage: its maximum begins with the parent's size at the fork.
    """
    status = pathlib.Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    if found is None:
        raise OSError("/proc/self/status must have a line VmHWM (Linux).")
    return 1024 * int(found[1])


def _own(peak: dict[str, int]) -> int:
    return peak["peak"] - peak["runtime"]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--image_size",
        type=int,
        nargs="+",
        choices=(96, 320),
        default=[96, 320],
    )
    parser.add_argument("--batch_size", type=int, default=8)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--peak_of", choices=METHODS, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
