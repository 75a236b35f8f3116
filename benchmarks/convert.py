"""Images a second and peak memory of conversion, against the OD API's scripts.

    python benchmarks/convert.py [--images 5000] [--rounds 3] [--only coco]

Datasets of photograph-sized JPEGs are written in native layout, then ours and
the OD API's own converter take turns, so that whatever slows the machine slows
both. `copy` reads every image and writes it to one file: nothing can be
faster. Times are of whole processes, from the command to its end; memory is
the sum over all processes of a command, sampled.
"""

from __future__ import annotations

import argparse
import io
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PIL import Image

from tfrecords_tools.synthetic.native import coco, pet, voc
from tfrecords_tools.synthetic.native.base import NativeImage, NativeObject

_SIDES = (500, 375)
_DISTINCT = 40
_PERSON = ("person",)
_BREEDS = ("Abyssinian", "beagle", "Bombay", "pug")
_OD_API = "object_detection_patch.run_od_api"
_COPY = """
import pathlib, sys
source, target = sys.argv[1:]
with open(target, "wb") as file:
    for path in sorted(pathlib.Path(source).rglob("*.jpg")):
        file.write(path.read_bytes())
"""


def main() -> int:
    options = _parser().parse_args()
    for key, prepare in _DATASETS.items():
        if options.only not in (None, key):
            continue
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            commands = prepare(root, options.images)
            result = _compare(commands, root, options)
            print(json.dumps({"dataset": key, **result}, indent=2))
    return 0


def _compare(
    commands: dict[str, Callable[[pathlib.Path], Sequence[str]]],
    root: pathlib.Path,
    options: argparse.Namespace,
) -> dict[str, Any]:
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    peaks: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(options.rounds):
        for name, command in commands.items():
            output = root / f"out_{name}_{number}"
            output.mkdir()
            spent, peak = _measure(command(output))
            seconds[name].append(spent)
            peaks[name].append(peak)
    median = {name: statistics.median(s) for name, s in seconds.items()}
    return {
        "images": options.images,
        "seconds": {name: round(s, 2) for name, s in median.items()},
        "images_per_second": {
            name: round(options.images / s) for name, s in median.items()
        },
        "peak_megabytes": {name: round(max(p)) for name, p in peaks.items()},
        "times_as_fast_as_od_api": _ratio(seconds, "od_api", "ours"),
        "share_of_od_api_memory": round(
            max(peaks["ours"]) / max(peaks["od_api"]), 3
        ),
        "times_as_slow_as_copying": _ratio(seconds, "ours", "copy"),
    }


def _ratio(seconds: dict[str, list[float]], over: str, under: str) -> float:
    """Median of the ratios within a round."""
    pairs = zip(seconds[over], seconds[under], strict=True)
    return round(statistics.median(a / b for a, b in pairs), 2)


def _measure(command: Sequence[str]) -> tuple[float, float]:
    """Seconds and peak megabytes of a command with all its processes."""
    started = time.monotonic()
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    peak = [0.0]
    watcher = threading.Thread(target=_watch, args=(process, peak))
    watcher.start()
    output, _ = process.communicate()
    seconds = time.monotonic() - started
    watcher.join()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{output[-3000:]}")
    return seconds, peak[0]


def _watch(process: subprocess.Popen[str], peak: list[float]) -> None:
    while process.poll() is None:
        peak[0] = max(peak[0], _resident_megabytes(process.pid))
        time.sleep(0.05)


def _resident_megabytes(session: int) -> float:
    """Memory of the session's processes, what they share counted once."""
    total = 0
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
            if int(fields[3]) != session:
                continue
            rollup = (folder / "smaps_rollup").read_text()
        except OSError:
            continue
        lines = [line.split() for line in rollup.splitlines()]
        total += sum(int(words[1]) for words in lines if words[0] == "Pss:")
    return total / 1024


def _photographs(
    count: int, names: Sequence[str], objects: int
) -> list[NativeImage]:
    """Images that share few encoded pictures, with random boxes."""
    rng = np.random.default_rng(0)
    encoded = [_photograph(rng) for _ in range(_DISTINCT)]
    owners = np.zeros(_SIDES[::-1], np.uint8)
    owners[50:90, 50:90] = 1
    return [
        NativeImage(
            encoded=encoded[index % _DISTINCT],
            width=_SIDES[0],
            height=_SIDES[1],
            objects=tuple(_boxes(rng, names[index % len(names)], objects)),
            owners=owners,
        )
        for index in range(count)
    ]


def _boxes(
    rng: np.random.Generator, name: str, number: int
) -> list[NativeObject]:
    corners = rng.integers(0, (400, 300), (number, 2))
    sides = rng.integers(10, (100, 75), (number, 2))
    return [
        NativeObject(
            name=name,
            xmin=int(x),
            ymin=int(y),
            xmax=int(x + width),
            ymax=int(y + height),
            outline=((x, y), (x + width, y), (x, y + height)),
        )
        for (x, y), (width, height) in zip(corners, sides, strict=True)
    ]


def _photograph(rng: np.random.Generator) -> bytes:
    """Clouds of several sizes; about 70 kB, as photographs have it."""
    width, height = _SIDES
    pixels = np.zeros((height, width, 3))
    for cells in (4, 32, 200):
        coarse = rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8)
        layer = Image.fromarray(coarse).resize(_SIDES, Image.Resampling.BICUBIC)
        pixels += np.asarray(layer) / 3
    file = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(file, "JPEG", quality=92)
    return file.getvalue()


def _coco(root: pathlib.Path, count: int) -> dict[str, Any]:
    data = root / "coco"
    data.mkdir()
    images = _photographs(count + 1, _PERSON, 7)
    coco.write(data, images[:-1], images[-1:], class_names=_PERSON)
    annotations = data / "annotations"
    return {
        "ours": _ours("coco", data),
        "od_api": lambda output: [
            *(sys.executable, "-m", _OD_API),
            "dataset_tools.create_coco_tf_record",
            f"--train_image_dir={data / 'train2017'}",
            f"--val_image_dir={data / 'val2017'}",
            f"--test_image_dir={data / 'val2017'}",
            f"--train_annotations_file={annotations}/instances_train2017.json",
            f"--val_annotations_file={annotations}/instances_val2017.json",
            f"--testdev_annotations_file={annotations}/instances_val2017.json",
            f"--output_dir={output}",
        ],
        "copy": _copy(data),
    }


def _voc(root: pathlib.Path, count: int) -> dict[str, Any]:
    data = root / "voc"
    data.mkdir()
    images = _photographs(count + 1, _PERSON, 3)
    voc.write(data, images[:-1], images[-1:], class_names=_PERSON)
    devkit = data / "VOCdevkit"
    for year in ("VOC2007", "VOC2012"):
        lists = devkit / year / "ImageSets" / "Main"
        # The script reads the list of the first class just for the ids.
        names = (lists / "trainval.txt").read_text()
        (lists / "aeroplane_trainval.txt").write_text(names)
    label_map = root / "voc.pbtxt"
    label_map.write_text("item { id: 15 name: 'person' }")
    return {
        "ours": _ours("voc", data),
        "od_api": lambda output: [
            *(sys.executable, "-m", _OD_API),
            "dataset_tools.create_pascal_tf_record",
            f"--data_dir={devkit}",
            *("--year=merged", "--set=trainval"),
            f"--label_map_path={label_map}",
            f"--output_path={output / 'voc.record'}",
        ],
        "copy": _copy(data),
    }


def _pet(root: pathlib.Path, count: int) -> dict[str, Any]:
    data = root / "pet"
    data.mkdir()
    images = _photographs(count, _BREEDS, 1)
    pet.write(data, images[:-1], images[-1:], class_names=_BREEDS)
    label_map = root / "pet.pbtxt"
    label_map.write_text(
        "".join(
            f"item {{ id: {id} name: '{name}' }}\n"
            for id, name in enumerate(_BREEDS, 1)
        )
    )
    return {
        "ours": _ours("pet", data),
        "od_api": lambda output: [
            *(sys.executable, "-m", _OD_API),
            "dataset_tools.create_pet_tf_record",
            f"--data_dir={data}",
            f"--label_map_path={label_map}",
            f"--output_dir={output}",
        ],
        "copy": _copy(data),
    }


def _ours(
    key: str, data: pathlib.Path
) -> Callable[[pathlib.Path], Sequence[str]]:
    return lambda output: [
        *(sys.executable, "-m", "tfrecords_tools", "convert", key),
        *("--data_dir", str(data), "--output_dir", str(output)),
        "--allow_count_mismatch",
    ]


def _copy(data: pathlib.Path) -> Callable[[pathlib.Path], Sequence[str]]:
    return lambda output: [
        *(sys.executable, "-c", _COPY, str(data), str(output / "copy"))
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=list(_DATASETS))
    return parser


_DATASETS = {"coco": _coco, "voc": _voc, "pet": _pet}

if __name__ == "__main__":
    sys.exit(main())
