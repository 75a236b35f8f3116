"""Writes Open Images V4's layout: one CSV a split, images in folders."""

import csv
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from tfrecords_tools.synthetic.native.base import NativeImage, NativeObject

COLUMNS = (
    "ImageID",
    "Source",
    "LabelName",
    "Confidence",
    "XMin",
    "XMax",
    "YMin",
    "YMax",
    "IsOccluded",
    "IsTruncated",
    "IsGroupOf",
    "IsDepiction",
    "IsInside",
)


def write(
    root: Path,
    train: Sequence[NativeImage],
    eval: Sequence[NativeImage],
    *,
    class_names: Sequence[str],
) -> None:
    """Ids come from a hash of split and place; rows are sorted by them.

    `NativeObject.flags` may give `group_of`, `depiction`, `inside`,
    `occluded` and `truncated`: 1, 0, or -1 for unknown.
    """
    machine_ids = {name: f"/m/0m{i:03d}" for i, name in enumerate(class_names)}
    with (root / "class-descriptions-boxable.csv").open(
        "w", encoding="utf-8", newline=""
    ) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows((mid, name) for name, mid in machine_ids.items())
    for split, images in (("train", train), ("validation", eval)):
        with (root / f"{split}-annotations-bbox.csv").open(
            "w", encoding="utf-8", newline=""
        ) as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            for image_id, image in sorted(_named(split, images).items()):
                writer.writerows(_rows(image_id, image, machine_ids))
                _write_image(root, split, image_id, image)


def _named(split: str, images: Sequence[NativeImage]) -> dict[str, NativeImage]:
    return {
        hashlib.sha256(f"{split}/{i}".encode()).hexdigest()[:16]: image
        for i, image in enumerate(images)
    }


def _rows(
    image_id: str, image: NativeImage, machine_ids: dict[str, str]
) -> Iterator[tuple[str, ...]]:
    for thing in image.objects:
        yield (
            image_id,
            "xclick",
            machine_ids[thing.name],
            "1",
            f"{thing.xmin / image.width:.6f}",
            f"{thing.xmax / image.width:.6f}",
            f"{thing.ymin / image.height:.6f}",
            f"{thing.ymax / image.height:.6f}",
            _flag(thing, "occluded", thing.visible < 1 and not thing.truncated),
            _flag(thing, "truncated", thing.truncated),
            _flag(thing, "group_of", False),
            _flag(thing, "depiction", False),
            _flag(thing, "inside", False),
        )


def _flag(thing: NativeObject, name: str, default: bool) -> str:
    return str(int(thing.flags.get(name, default)))


def _write_image(
    root: Path, split: str, image_id: str, image: NativeImage
) -> None:
    """Images for training lie in 16 folders, by the first digit."""
    is_train = split == "train"
    folder = root / (f"train_{image_id[0]}" if is_train else split)
    folder.mkdir(exist_ok=True)
    (folder / f"{image_id}.jpg").write_bytes(image.encoded)
