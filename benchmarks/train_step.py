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
import statistics
import subprocess
import sys
from typing import Any

import one_step

from object_detection_patch.od_api import compat

METHODS = ("FINE_TUNING", "SPOTPATCH")


def main() -> int:
    options = _parser().parse_args()
    if options.peak_of:
        print(json.dumps(_peak(options.peak_of, options)))
        return 0
    for image_size in options.image_size:
        print(json.dumps(_compare(image_size, options), indent=2))
    return 0


def _compare(image_size: int, options: argparse.Namespace) -> dict[str, Any]:
    runs = {
        method: one_step.of_preset(method, image_size, options.batch_size)
        for method in METHODS
    }
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

    runtime = one_step.resident_bytes()
    run = one_step.of_preset(method, options.image_size[0], options.batch_size)
    for _ in range(5):
        run.timed()
    return {"peak": one_step.resident_bytes(), "runtime": runtime}


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
        choices=tuple(one_step.ARCHITECTURES),
        default=[96, 320],
    )
    parser.add_argument("--batch_size", type=int, default=8)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--peak_of", choices=METHODS, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
