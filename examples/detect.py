"""Finds objects in images with a .tflite model, as an app would.

    python examples/detect.py --model task.tflite PHOTO --output found.png

Runs the model in LiteRT, without TensorFlow. How pixels are scaled, which
output is which and what the classes are called stands in the model's file.
Needs this project and: pip install ai-edge-litert pillow
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import pathlib
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image, ImageOps

from object_detection_patch import pictures
from object_detection_patch.tflite import labels, model_metadata

_NORMALIZATION_OPTIONS = 1  # number of that union member in the metadata


@dataclasses.dataclass(frozen=True)
class Detections:
    """What was found in one image, best first.

    Args:
      boxes: float32 [N, 4]: ymin, xmin, ymax, xmax, fractions of the image.
      class_ids: int [N], from 1.
      scores: float32 [N].
    """

    boxes: np.ndarray
    class_ids: np.ndarray
    scores: np.ndarray


class Detector:
    """A model in memory, ready to run.

    Args:
      path: a .tflite file with metadata and labels inside.

    Raises:
      ValueError: if it is no such model.
      OSError: if it cannot be read.
    """

    def __init__(self, path: str) -> None:
        model = pathlib.Path(path).read_bytes()
        metadata = model_metadata.read_metadata(model)
        try:
            (subgraph,) = metadata["subgraph_metadata"]
            (image,) = subgraph["input_tensor_metadata"]
            outputs = [o["name"] for o in subgraph["output_tensor_metadata"]]
            self._mean, self._std = _normalization(image)
        except (KeyError, ValueError) as error:
            raise ValueError(
                "The metadata of a detector must describe one image, its "
                f"normalization, and the outputs. Received: {error}."
            ) from error
        if sorted(outputs) != sorted(model_metadata.OUTPUTS):
            raise ValueError(
                f"A detector must have the outputs {model_metadata.OUTPUTS}. "
                f"Received: {outputs} (its metadata)."
            )
        names = labels.read_labels(model)
        self.label_names = {i: name for i, name in enumerate(names, start=1)}
        self._interpreter = Interpreter(model_content=model)
        self._interpreter.allocate_tensors()
        (self._input,) = self._interpreter.get_input_details()
        details = self._interpreter.get_output_details()
        self._outputs = {
            name: detail["index"]
            for name, detail in zip(outputs, details, strict=True)
        }

    def detect(self, image: Image.Image, *, min_score: float) -> Detections:
        """Runs the model on an RGB image of any size."""
        pixels = resized(np.asarray(image), *self._input["shape"][1:3])
        values = (pixels - self._mean) / self._std
        self._interpreter.set_tensor(
            self._input["index"], quantized(values, self._input)[np.newaxis]
        )
        self._interpreter.invoke()
        found = {
            name: self._interpreter.get_tensor(index)[0]
            for name, index in self._outputs.items()
        }
        kept = found["score"] >= min_score
        kept[int(found["number of detections"]) :] = False
        return Detections(
            found["location"][kept],
            # The model counts its classes from 0, a label map from 1.
            found["category"][kept].astype(int) + 1,
            found["score"][kept],
        )


def _normalization(image: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation, for all channels or one for each."""
    for unit in image.get("process_units", []):
        if unit["options_type"] == _NORMALIZATION_OPTIONS:
            options = unit["options"]
            return np.float32(options["mean"]), np.float32(options["std"])
    raise ValueError("no normalization")


def resized(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """float32 [height, width, 3] of an image, resized as training does.

    Bilinear between the nearest pixels, without smoothing, the first pixel
    onto the first: what `tf.compat.v1.image.resize_bilinear` computes.
    """
    rows = _between(image, height, axis=0)
    return _between(rows, width, axis=1).astype(np.float32)


def _between(image: np.ndarray, size: int, *, axis: int) -> np.ndarray:
    """`size` samples along an axis, at equal distances from its first."""
    last = image.shape[axis] - 1
    places = np.arange(size) * (image.shape[axis] / size)
    before = places.astype(int)
    after = np.minimum(before + 1, last)
    part = np.expand_dims(places - before, [a for a in (0, 1, 2) if a != axis])
    return (
        np.take(image, before, axis) * (1 - part)
        + np.take(image, after, axis) * part
    )


def quantized(values: np.ndarray, detail: dict[str, Any]) -> np.ndarray:
    """The values in the type of an input: rounded if that is int8 or uint8."""
    if detail["dtype"] == np.float32:
        return values
    scale, zero_point = detail["quantization"]
    limits = np.iinfo(detail["dtype"])
    rounded = np.rint(values / scale + zero_point)
    return np.clip(rounded, limits.min, limits.max).astype(detail["dtype"])


def read_image(path: str) -> Image.Image:
    """An image file in RGB, turned upright.

    Raises: ValueError if it is none.
    """
    try:
        with Image.open(path) as image:
            return ImageOps.exif_transpose(image).convert("RGB")
    except (OSError, Image.DecompressionBombError) as error:
        raise ValueError(
            f"An image must be a readable JPEG or PNG file. Received: {path}: "
            f"{error}."
        ) from error


def described(
    found: Detections, image: Image.Image, label_names: dict[int, str]
) -> list[dict[str, Any]]:
    """Each object by its label, score, and edges in pixels of the image."""
    sizes = [image.height, image.width] * 2
    edges = np.clip(found.boxes, 0, 1) * sizes
    return [
        {
            "label": label_names.get(int(class_id), f"#{class_id}"),
            "score": round(float(score), 4),
            **dict(zip(("top", "left", "bottom", "right"), box, strict=True)),
        }
        for class_id, score, box in zip(
            found.class_ids,
            found.scores,
            np.rint(edges).astype(int).tolist(),
            strict=True,
        )
    ]


def print_table(path: str, objects: Sequence[dict[str, Any]]) -> None:
    print(f"{path}: {len(objects)} found")
    if objects:
        print(f"  {'score':>5} {'left':>6} {'top':>6}", end=" ")
        print(f"{'right':>6} {'bottom':>6}  label")
    for found in objects:
        print(f"  {found['score']:5.2f} {found['left']:6d}", end=" ")
        print(f"{found['top']:6d} {found['right']:6d}", end=" ")
        print(f"{found['bottom']:6d}  {found['label']}")


def run(options: argparse.Namespace) -> None:
    detector = Detector(options.model)
    results, sheet = [], []
    for path in options.images:
        image = read_image(path)
        found = detector.detect(image, min_score=options.min_score)
        objects = described(found, image, detector.label_names)
        results.append({"image": path, "objects": objects})
        if not options.json:
            print_table(path, objects)
        if options.output:
            sheet.append([_drawn(image, found, detector, options.min_score)])
    if options.json:
        print(json.dumps(results, indent=2))
    if options.output:
        names = [os.path.basename(path) for path in options.images]
        title = os.path.basename(options.model)
        pictures.save_png(
            options.output, pictures.side_by_side(sheet, [title], names)
        )


def _drawn(
    image: Image.Image, found: Detections, detector: Detector, min_score: float
) -> np.ndarray:
    return pictures.draw_detections(
        np.asarray(image),
        found.boxes,
        found.class_ids,
        found.scores,
        detector.label_names,
        min_score=min_score,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("images", nargs="+", metavar="IMAGE")
    parser.add_argument(
        "--model",
        required=True,
        help=".tflite file with metadata and labels inside, as "
        "`od-patch apply` writes",
    )
    parser.add_argument("--output", help="PNG of the images with their boxes")
    parser.add_argument(
        "--min_score",
        type=float,
        default=0.4,
        help="leave out detections below (default: %(default)s)",
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="print JSON: for each image its objects; edges in pixels",
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0, or 2 if a file is not what it must be."""
    options = _parser().parse_args(arguments)
    try:
        run(options)
    except (ValueError, OSError, RuntimeError) as error:
        print(f"detect.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
