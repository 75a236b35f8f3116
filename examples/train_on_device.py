"""Trains a .tflite of `od-patch export-trainable` in LiteRT, on TFRecords.

    python examples/train_on_device.py --model train.tflite \\
        --records 'train.tfrecord*' --steps 50 --output weights.npz

An app does the same with its own pictures; nothing here needs TensorFlow.
Needs this project and: pip install ai-edge-litert pillow
"""

from __future__ import annotations

import argparse
import io
import pathlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import detect
import numpy as np
from PIL import Image

from object_detection_patch.on_device.session import Session
from tfrecords_tools import reader
from tfrecords_tools.look import seen
from tfrecords_tools.record_files import find_record_files

# One image with its boxes, as the arguments of Session.train by name.
Sample = dict[str, np.ndarray]


def read_samples(patterns: Sequence[str], session: Session) -> list[Sample]:
    """All images of some TFRecords, resized, with their boxes.

    Raises:
      ValueError: for records that are no images with boxes, or with more
        boxes than the model takes.
    """
    return [
        sample_of(example, session)
        for path in find_record_files(patterns)
        for example in reader.read_examples(path)
    ]


def sample_of(example: Mapping[str, Sequence[Any]], session: Session) -> Sample:
    """One record as a sample; places without a box have weight 0."""
    found = seen.read_boxes(example, seen.ClassNames())
    if len(found) > session.max_boxes:
        raise ValueError(
            f"The model takes {session.max_boxes} boxes of an image (`od-patch "
            f"export-trainable --max_boxes`). Received: {len(found)}."
        )
    boxes = np.zeros((session.max_boxes, 4), np.float32)
    classes = np.zeros(session.max_boxes, np.int32)
    weights = np.zeros(session.max_boxes, np.float32)
    for place, box in enumerate(found):
        if box.label is None:
            raise ValueError("A box must have a class. Received: none.")
        boxes[place] = box.ymin, box.xmin, box.ymax, box.xmax
        # The model counts its classes from 0, a label map from 1.
        classes[place] = box.label - 1
        weights[place] = 1
    return {
        "images": pixels_of(seen.read_encoded(example), session.image_size),
        "boxes": boxes,
        "classes": classes,
        "weights": weights,
    }


def pixels_of(encoded: bytes, size: tuple[int, int]) -> np.ndarray:
    """float32 [height, width, 3] of a picture, from -1 to 1."""
    with Image.open(io.BytesIO(encoded)) as image:
        pixels = np.asarray(image.convert("RGB"))
    return detect.resized(pixels, *size) / 127.5 - 1


def batches(
    samples: Sequence[Sample], size: int, seed: int
) -> Iterator[dict[str, np.ndarray]]:
    """Batches without end: every sample once, in another order each time.

    Of a round, samples that fill no whole batch begin the next.
    """
    random = np.random.default_rng(seed)
    waiting: list[Sample] = []
    while True:
        waiting += [samples[i] for i in random.permutation(len(samples))]
        while len(waiting) >= size:
            taken, waiting = waiting[:size], waiting[size:]
            yield {key: np.stack([s[key] for s in taken]) for key in taken[0]}


def run(options: argparse.Namespace) -> None:
    model = pathlib.Path(options.model).read_bytes()
    session = Session(model, num_threads=options.num_threads)
    if options.restore:
        session.restore(options.restore)
    samples = read_samples(options.records, session)
    if not samples:
        raise ValueError(
            f"A training needs images. Received: none in {options.records}."
        )
    found = batches(samples, session.batch_size, options.seed)
    for step in range(options.steps):
        loss = session.train(**next(found), learning_rate=options.learning_rate)
        if step % 10 == 0 or step == options.steps - 1:
            print(f"step {step + 1:5d}  loss {loss:.4f}", flush=True)
        if not np.isfinite(loss):
            raise ValueError(
                "The loss must stay finite; use a lower --learning_rate. "
                f"Received: {loss} at step {step + 1}."
            )
    session.save(options.output)
    print(f"{options.output}: {session.parameters()['steps']} steps")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--model", required=True, help=".tflite of `od-patch export-trainable`"
    )
    parser.add_argument(
        "--records", required=True, nargs="+", help="TFRecords or patterns"
    )
    parser.add_argument("--output", required=True, help=".npz file to write")
    parser.add_argument("--restore", help=".npz file to go on from")
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--learning_rate", type=float, default=0.003)
    parser.add_argument("--num_threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0, help="of the order")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0, or 2 if a file is not what it must be."""
    options = _parser().parse_args(arguments)
    try:
        run(options)
    except (ValueError, OSError, RuntimeError) as error:
        print(f"train_on_device.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
