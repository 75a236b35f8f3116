"""Bytes and mAP of trained patches, for each way to store their numbers.

    python benchmarks/encodings.py --base BASE.tflite \\
      --pipeline_config_path P --task task.patch 'eval.record-*' [--task ...]

The patches are as extract wrote them, in float32. mAP@0.5 is that of the
model which LiteRT runs; `output` is how far raw outputs move on an evaluation
image, in units of the largest. The last columns compress all sections together
with other codecs, to see whether zlib is good enough; `-` where the command
line tool is missing.
"""

from __future__ import annotations

import argparse
import dataclasses
import shutil
import subprocess
import sys
import tempfile

import numpy as np

from object_detection_patch.checkpoints import merge
from object_detection_patch.export import runtime
from object_detection_patch.export.normalisation import of_model
from object_detection_patch.patch_file import (
    COMPACT,
    EXACT,
    HALF,
    SMALL,
    AddSigned,
    Encoding,
    Numbers,
    Patch,
    read_patch,
    to_bytes,
)
from object_detection_patch.tflite import apply_bytes, sidecar_path

_CODECS = {
    "zstd -19": ["zstd", "-19", "-c", "-q"],
    "brotli -11": ["brotli", "-q", "11", "-c"],
}


def _grid(bits: int, grouping: str = "channel") -> Numbers:
    return Numbers("grid", "zlib", bits=bits, grouping=grouping)


_HALVES = Numbers("float16", "planes")


def _mixed(batch_norm: Numbers, heads: Numbers = _HALVES) -> Encoding:
    return Encoding("zlib", batch_norm, _HALVES, heads, heads)


ENCODINGS = {
    "float32 (exact)": EXACT,
    "float16, zlib": Encoding("zlib", *[Numbers("float16", "zlib")] * 4),
    "float16, planes (half)": HALF,
    "8-bit BatchNorm": _mixed(_grid(8)),
    "7-bit BatchNorm": _mixed(_grid(7)),
    "6-bit BatchNorm (small)": SMALL,
    "5-bit BatchNorm": _mixed(_grid(5)),
    "4-bit BatchNorm": _mixed(_grid(4)),
    "3-bit BatchNorm": _mixed(_grid(3)),
    "8-bit heads": _mixed(_HALVES, _grid(8)),
    "8-bit BatchNorm, 8-bit heads": _mixed(_grid(8), _grid(8)),
    "6-bit BatchNorm, 8-bit heads": _mixed(_grid(6), _grid(8)),
    "6-bit BatchNorm, 8-bit heads by tensor": _mixed(
        _grid(6), _grid(8, "tensor")
    ),
    "4-bit heads": _mixed(_HALVES, _grid(4)),
    "4-bit heads by tensor": _mixed(_HALVES, _grid(4, "tensor")),
    "6-bit BatchNorm, 6-bit heads (compact)": COMPACT,
    "6-bit BatchNorm, 4-bit heads": _mixed(_grid(6), _grid(4)),
    "5-bit BatchNorm, 4-bit heads": _mixed(_grid(5), _grid(4)),
}


def main() -> int:
    options = _parser().parse_args()
    with open(options.base, "rb") as file:
        base = file.read()
    with open(sidecar_path(options.base), "rb") as file:
        sidecar = file.read()
    for path, records in options.task:
        patch = read_patch(path)
        print(f"\n{path}: {_mask_line(patch)}\n")
        print("| encoding | bytes | mAP@0.5 | output | " + _codec_header())
        print("| --- " * (4 + len(_CODECS)) + "|")
        task = _Task(options, patch, records)
        exact = None
        for name, encoding in ENCODINGS.items():
            data = to_bytes(patch, encoding=encoding)
            model = apply_bytes(base, sidecar, data)
            outputs = task.raw_outputs(model)
            exact = outputs if exact is None else exact
            print(
                f"| {name} | {len(data):,} | {task.accuracy(model):.4f} | "
                f"{_distance(outputs, exact):.1e} | "
                + " | ".join(_codec_bytes(patch, encoding))
                + " |",
                flush=True,
            )
    return 0


class _Task:
    """A task's evaluation records, and a patched model run on them."""

    def __init__(
        self, options: argparse.Namespace, patch: Patch, records: str
    ) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._pipeline = merge.task_pipeline(
            options.pipeline_config_path, patch, self._folder.name
        )
        self._records = [records]
        self._label_map = runtime.label_map_file(
            patch.label_map, self._folder.name
        )

    def accuracy(self, model: bytes) -> float:
        return runtime.mean_average_precision(
            model, self._pipeline, self._records, self._label_map
        )

    def raw_outputs(self, model: bytes) -> tuple[np.ndarray, np.ndarray]:
        (image,) = runtime.inputs(
            self._pipeline, self._records, of_model(model), 1
        )
        return runtime.Runtime(model, keep_tensors=True).raw_outputs(image)


def _distance(
    found: tuple[np.ndarray, ...], exact: tuple[np.ndarray, ...]
) -> float:
    return max(
        float(np.abs(one - other).max()) / max(1.0, float(np.abs(other).max()))
        for one, other in zip(found, exact, strict=True)
    )


def _mask_line(patch: Patch) -> str:
    """How many mask bits there are, and their entropy a weight."""
    masks = [edit.mask for edit in patch.edits if isinstance(edit, AddSigned)]
    if not masks:
        return "no masks"
    bits = np.concatenate([mask.reshape(-1) for mask in masks])
    packed = np.packbits(bits).tobytes()
    sizes = {
        name: len(_compressed(command, packed)) / len(packed)
        for name, command in _CODECS.items()
        if shutil.which(command[0])
    }
    contexts = [(_entropy(mask.reshape(-1)), mask.size) for mask in masks]
    by_kernel = sum(h * n for h, n in contexts) / bits.size
    by_output = sum(
        _entropy(column) * column.size
        for mask in masks
        for column in mask.reshape(-1, mask.shape[-1]).T
    )
    return (
        f"{bits.size:,} mask bits; entropy a bit {by_kernel:.4f} by kernel, "
        f"{by_output / bits.size:.4f} by output channel; "
        + ", ".join(f"{name} leaves {x:.1%}" for name, x in sizes.items())
    )


def _entropy(bits: np.ndarray) -> float:
    share = bits.mean()
    if share in (0, 1):
        return 0.0
    return float(-share * np.log2(share) - (1 - share) * np.log2(1 - share))


def _codec_header() -> str:
    return " | ".join(f"all sections, {name}" for name in _CODECS) + " |"


def _codec_bytes(patch: Patch, encoding: Encoding) -> list[str]:
    """Bytes of the file with its sections compressed by other codecs."""
    plain = dataclasses.replace(
        encoding,
        masks="none",
        **{
            kind: dataclasses.replace(
                getattr(encoding, kind), compression="none"
            )
            for kind in ("batch_norm", "kernels", "box_head", "class_head")
        },
    )
    data = to_bytes(patch, encoding=plain)
    header = 32 + int.from_bytes(data[12:16], "little")
    return [
        f"{header + 32 + len(_compressed(command, data[header:-32])):,}"
        if shutil.which(command[0])
        else "-"
        for command in _CODECS.values()
    ]


def _compressed(command: list[str], data: bytes) -> bytes:
    return subprocess.run(
        command, input=data, capture_output=True, check=True
    ).stdout


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--base", required=True, help="base.tflite")
    parser.add_argument("--pipeline_config_path", required=True)
    parser.add_argument(
        "--task",
        required=True,
        nargs=2,
        action="append",
        metavar=("PATCH", "RECORDS"),
        help="patch of extract, and the task's evaluation records",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
