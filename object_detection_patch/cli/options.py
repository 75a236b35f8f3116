"""Options, checks and words that several verbs share."""

from __future__ import annotations

import argparse
import json
import math
import os
import re

# The names of patch_file.ENCODINGS, which parsing does not import.
ENCODINGS = ("exact", "half", "small", "compact")


def add_pipeline_config(verb: argparse.ArgumentParser) -> None:
    """The config of a task: one with a patch in it."""
    verb.add_argument(
        "--pipeline_config_path",
        required=True,
        help="pipeline.config with [object_detection_patch.patch] { ... }",
    )


def add_base(verb: argparse.ArgumentParser) -> None:
    """A base as the OD API has it."""
    verb.add_argument(
        "--base_config", required=True, help="pipeline.config of the base"
    )
    verb.add_argument(
        "--base_checkpoint",
        required=True,
        help="the base's checkpoint: a directory or a prefix",
    )


def add_encoding(
    verb: argparse.ArgumentParser, *, default: str | None, otherwise: str
) -> None:
    """How a verb stores numbers; `otherwise` says what is done by default."""
    verb.add_argument(
        "--encoding",
        choices=ENCODINGS,
        default=default,
        help="how numbers are stored: exact in float32, half in float16, "
        "small with BatchNorms in 6 bits, compact with heads in 6 bits "
        f"too (default: {otherwise})",
    )


def add_json(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--json", action="store_true", help="print JSON")


def add_base_file(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--base", required=True, help="base.tflite, as export-base wrote it"
    )


def add_sidecar(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--sidecar",
        help="sidecar of the base (default: beside the base, under its name "
        "with .odpatch)",
    )


def add_require_signature(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--require_signature",
        metavar="PUBLIC_KEY.pem",
        help="refuse a patch that the owner of this key has not signed",
    )


def add_calibration_records(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--calibration_records",
        help="TFRecord file or pattern; an int8 base measures the ranges of "
        "its activations on it",
    )


def count(text: str) -> int:
    """The number in `text`, which must be 1 or more."""
    # argparse shows the name of this function when int() refuses.
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(
            f"must be 1 or more. Received: {number}"
        )
    return number


def image_size(text: str) -> tuple[int, int]:
    """(height, width) in pixels, of `160` or `160x320`."""
    match = re.fullmatch(r"([1-9]\d{0,4})(?:x([1-9]\d{0,4}))?", text)
    if match is None:
        raise argparse.ArgumentTypeError(
            "must be pixels of a side, as 160, or HEIGHTxWIDTH, as 160x320. "
            f"Received: {text!r}"
        )
    return int(match[1]), int(match[2] or match[1])


def at_least_one(text: str) -> float:
    """The number in `text`, which must be 1 or more and finite."""
    number = float(text)
    if not 1 <= number < math.inf:
        raise argparse.ArgumentTypeError(
            f"must be 1 or more and finite. Received: {text}"
        )
    return number


def share(text: str) -> float:
    """The number in `text`, which must be 0 or more and below 1."""
    number = float(text)
    if not 0 <= number < 1:
        raise argparse.ArgumentTypeError(
            f"must be 0 or more and below 1. Received: {text}"
        )
    return number


def classes(number: int) -> str:
    return "1 class" if number == 1 else f"{number} classes"


def print_json(value: object) -> None:
    print(json.dumps(value, indent=2))


def require_folder(output: str, *, option: str = "--output") -> None:
    """Refuses before minutes of work what could not be written after them."""
    folder = os.path.dirname(os.path.abspath(output))
    if not os.path.isdir(folder):
        raise ValueError(
            f"The folder of `{option}` must exist. Received: {output!r}."
        )
    if not os.access(folder, os.W_OK):
        raise ValueError(
            f"The folder of `{option}` must be writable. Received: {output!r}."
        )
