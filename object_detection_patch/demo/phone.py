"""What a phone does with a published base and patches, measured.

Run as one process, which never imports TensorFlow:
    python -m object_detection_patch.demo.phone --base ... (see --help)
"""

from __future__ import annotations

import argparse
import glob
import hashlib
import io
import json
import os
import pathlib
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from PIL import Image

from object_detection_patch import tflite
from object_detection_patch.decathlon import mean_ap
from object_detection_patch.demo import drawn
from object_detection_patch.demo.detector import Detector, Found
from object_detection_patch.demo.plan import (
    PHONE_DRAWN,
    PHONE_MODEL,
    PHONE_RESULT,
    RELEASED_PATCH,
)
from tfrecords_tools import reader
from tfrecords_tools.look import seen

_APPLIED = 9  # times; the median is reported


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    directory, records = options.source
    _write(directory, *_base(options.base, directory, records))
    for directory, records in options.task:
        _write(directory, *_task(options.base, directory, records))
    return 0


def run_model(model: str, records: str, drawn_path: str) -> tuple[float, float]:
    """Runs a model on records and keeps a few images with detections.

    Args:
      records: TFRecord pattern.

    Returns:
      mAP@0.5 as COCO defines it, and the median milliseconds of a run.
    """
    detector = Detector(pathlib.Path(model).read_bytes())
    images: list[Found] = []
    truths, milliseconds = [], []
    for image, truth in read_records(records):
        prepared = detector.prepared(image)
        if not images:
            # The first run of an interpreter also prepares its memory.
            detector.run(prepared)
        milliseconds.append(_milliseconds(detector.run, prepared))
        images.append(detector.found(image))
        truths.append(truth)
    drawn.save(drawn_path, images[: drawn.IMAGES], detector.label_names)
    return _map(images, truths), statistics.median(milliseconds)


def read_records(
    pattern: str,
) -> Iterator[tuple[np.ndarray, mean_ap.GroundTruth]]:
    """Images, uint8 [height, width, 3], and what is in them.

    Raises:
      ValueError: for a record that cannot be read.
    """
    for path in sorted(glob.glob(pattern)):
        for example in reader.read_examples(pathlib.Path(path)):
            with Image.open(io.BytesIO(seen.read_encoded(example))) as image:
                pixels = np.asarray(image.convert("RGB"))
            yield pixels, _truth(seen.read_boxes(example, seen.ClassNames()))


def _truth(boxes: list[seen.SeenBox]) -> mean_ap.GroundTruth:
    edges = [(box.ymin, box.xmin, box.ymax, box.xmax) for box in boxes]
    return mean_ap.GroundTruth(
        np.array(edges, np.float32).reshape(-1, 4),
        np.array([box.label for box in boxes], np.int64),
        difficult=np.array([box.difficult for box in boxes], bool),
        is_crowd=np.array([box.is_crowd for box in boxes], bool),
        group_of=np.array([box.group_of for box in boxes], bool),
    )


def _map(images: list[Found], truths: list[mean_ap.GroundTruth]) -> float:
    found = [
        mean_ap.Detections(image.boxes, image.scores, image.classes)
        for image in images
    ]
    return mean_ap.mean_average_precision(found, truths).value


def _base(
    base: str, directory: str, records: str
) -> tuple[dict[str, Any], dict[str, float]]:
    value, inference = run_model(
        base, records, os.path.join(directory, PHONE_DRAWN)
    )
    numbers = {
        "model_bytes": os.path.getsize(base),
        "sidecar_bytes": os.path.getsize(tflite.sidecar_path(base)),
        "sha256": _digest(base),
        "map": value,
    }
    return numbers, {"inference": inference}


def _task(
    base: str, directory: str, records: str
) -> tuple[dict[str, Any], dict[str, float]]:
    patch = os.path.join(directory, RELEASED_PATCH)
    model = os.path.join(directory, PHONE_MODEL)
    applied, applying = apply_again(base, patch, directory)
    value, inference = run_model(
        model, records, os.path.join(directory, PHONE_DRAWN)
    )
    numbers = {
        "patch_bytes": os.path.getsize(patch),
        "model_bytes": os.path.getsize(model),
        "fraction": os.path.getsize(patch) / os.path.getsize(model),
        "sha256": applied.sha256,
        # Of the file that `od-patch apply` wrote and that was run.
        "verified": applied.verified and applied.sha256 == _digest(model),
        "map": value,
    }
    return numbers, {"apply": applying, "inference": inference}


def apply_again(
    base: str, patch: str, directory: str
) -> tuple[tflite.Applied, float]:
    """Applies a patch into a scratch file: what came of it, milliseconds."""
    with tempfile.TemporaryDirectory(dir=directory) as folder:
        output = os.path.join(folder, PHONE_MODEL)
        applied = tflite.apply(base, patch, output)
        milliseconds = [
            _milliseconds(tflite.apply, base, patch, output)
            for _ in range(_APPLIED)
        ]
    return applied, statistics.median(milliseconds)


def _milliseconds(work: Callable[..., Any], *arguments: Any) -> float:
    started = time.perf_counter()
    work(*arguments)
    return 1000 * (time.perf_counter() - started)


def _digest(path: str) -> str:
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def _write(
    directory: str, numbers: dict[str, Any], milliseconds: dict[str, float]
) -> None:
    path = os.path.join(directory, PHONE_RESULT)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(
            {"numbers": numbers, "milliseconds": milliseconds}, file, indent=2
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", required=True, help="published base.tflite")
    parser.add_argument(
        "--source",
        required=True,
        nargs=2,
        metavar=("DIRECTORY", "RECORDS"),
        help="where the base's numbers go, and records to run it on",
    )
    parser.add_argument(
        "--task",
        required=True,
        action="append",
        nargs=2,
        metavar=("DIRECTORY", "RECORDS"),
        help=f"a task's {RELEASED_PATCH} and {PHONE_MODEL}, and its records",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
