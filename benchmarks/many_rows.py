"""Peak memory of each process while Open Images is converted.

    python benchmarks/many_rows.py [--rows 2000000] [-- FLAGS OF convert]

Writes a box file of that many rows, 8.4 to an image as in the real one, and
as many image files (links to a few small JPEGs), then converts them.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
from PIL import Image

_ROWS_PER_IMAGE = 14_610_229 / 1_743_042
_CLASSES = 601
_LINKS = 50_000  # File systems allow some 65,000 names of one file.
_HEADER = (
    "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,"
    "IsTruncated,IsGroupOf,IsDepiction,IsInside\n"
)


def main() -> int:
    options = _parser().parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        images = _write_dataset(root / "data", options.rows)
        started = time.monotonic()
        peaks = _convert(root, options.convert_flags)
        result = {
            "rows": options.rows,
            "images": images,
            "seconds": round(time.monotonic() - started),
            "peak_megabytes_by_process": sorted(peaks, reverse=True),
        }
    print(json.dumps(result, indent=2))
    return 0


def _write_dataset(root: pathlib.Path, rows: int) -> int:
    (root / "train_0").mkdir(parents=True)
    classes = [f"/m/0{number:03d}" for number in range(_CLASSES)]
    (root / "class-descriptions-boxable.csv").write_text(
        "".join(f"{mid},Class {mid}\n" for mid in classes)
    )
    rng = np.random.default_rng(0)
    images = round(rows / _ROWS_PER_IMAGE)
    ids = np.sort(rng.choice(2**60, images, replace=False))
    owners = np.sort(rng.integers(0, images, rows))
    labels = rng.integers(0, _CLASSES, rows)
    corners = rng.uniform(0, 0.5, (rows, 2))
    sides = rng.uniform(0.01, 0.5, (rows, 2))
    with (root / "train-annotations-bbox.csv").open("w") as file:
        file.write(_HEADER)
        for row in range(rows):
            (x, y), (width, height) = corners[row], sides[row]
            file.write(
                f"{ids[owners[row]]:016x},xclick,{classes[labels[row]]},1,"
                f"{x:.6f},{x + width:.6f},{y:.6f},{y + height:.6f},"
                "0,0,0,0,0\n"
            )
    _link_images(root / "train_0", ids)
    return images


def _link_images(folder: pathlib.Path, ids: np.ndarray) -> None:
    file = io.BytesIO()
    Image.new("RGB", (64, 48), (90, 120, 150)).save(file, "JPEG")
    for index, id in enumerate(ids):
        path = folder / f"{id:016x}.jpg"
        if index % _LINKS == 0:
            source = path
            source.write_bytes(file.getvalue())
        else:
            os.link(source, path)


def _convert(root: pathlib.Path, flags: list[str]) -> list[int]:
    """Peak resident megabytes of each process of the conversion."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "tfrecords_tools", "convert", "oid"),
            *("--data_dir", str(root / "data"), "--split", "train"),
            *("--output_dir", str(root / "out"), *flags),
        ],
        start_new_session=True,
    )
    peaks: dict[str, int] = {}
    while process.poll() is None:
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                fields = (folder / "stat").read_text().rsplit(")", 1)[1]
                if int(fields.split()[3]) != process.pid:
                    continue
                status = (folder / "status").read_text()
            except OSError:
                continue
            for line in status.splitlines():
                if line.startswith("VmHWM:"):
                    peaks[folder.name] = int(line.split()[1]) // 1024
        time.sleep(0.1)
    if process.returncode:
        raise RuntimeError(f"convert failed with {process.returncode}")
    return list(peaks.values())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("convert_flags", nargs="*", metavar="-- FLAGS")
    return parser


if __name__ == "__main__":
    sys.exit(main())
