"""Writes COCO 2017's layout: one JSON file and one folder a split."""

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfrecords_tools.synthetic.native.base import NativeImage, NativeObject

GAPS = frozenset((12, 26, 29, 30, 45, 66, 68, 69, 71, 83))
"""Ids that COCO gives to no class."""

_FIRST_ID = {"train2017": 9, "val2017": 139}
_ID_STEP = 16  # Ids of the two splits never meet.


def write(
    root: Path,
    train: Sequence[NativeImage],
    eval: Sequence[NativeImage],
    *,
    class_names: Sequence[str],
) -> None:
    """Annotations are sorted by class, not by image.

    `NativeObject.flags` may give `is_crowd`: 1 for a box around many.
    """
    free = (i for i in itertools.count(1) if i not in GAPS)
    class_ids = dict(zip(class_names, free, strict=False))
    (root / "annotations").mkdir()
    for folder, images in (("train2017", train), ("val2017", eval)):
        ids = itertools.count(_FIRST_ID[folder], _ID_STEP)
        by_id = dict(zip(ids, images, strict=False))
        (root / folder).mkdir()
        for image_id, image in by_id.items():
            (root / folder / _file_name(image_id)).write_bytes(image.encoded)
        path = root / "annotations" / f"instances_{folder}.json"
        content = _content(by_id, class_ids)
        path.write_text(json.dumps(content), encoding="utf-8")


def _content(
    images: Mapping[int, NativeImage], class_ids: Mapping[str, int]
) -> dict[str, Any]:
    annotations = sorted(
        _annotations(images, class_ids),
        key=lambda record: (record["category_id"], record["id"]),
    )
    return {
        "info": {"description": "Drawn pictures", "year": 2017},
        "licenses": [{"url": "", "id": 1, "name": "None"}],
        "images": [_image(*named) for named in images.items()],
        "annotations": annotations,
        "categories": [
            {"supercategory": "thing", "id": id, "name": name}
            for name, id in class_ids.items()
        ],
    }


def _image(image_id: int, image: NativeImage) -> dict[str, Any]:
    return {
        "license": 1,
        "file_name": _file_name(image_id),
        "coco_url": "",
        "height": image.height,
        "width": image.width,
        "date_captured": "2017-01-01 00:00:00",
        "flickr_url": "",
        "id": image_id,
    }


def _annotations(
    images: Mapping[int, NativeImage], class_ids: Mapping[str, int]
) -> Iterator[dict[str, Any]]:
    ids = itertools.count(1)
    for image_id, image in images.items():
        for owner, thing in enumerate(image.objects, 1):
            mask = image.owners == owner
            width, height = thing.xmax - thing.xmin, thing.ymax - thing.ymin
            is_crowd = int(thing.flags.get("is_crowd", 0))
            yield {
                "segmentation": _run_lengths(mask)
                if is_crowd
                else [_polygon(thing)],
                "area": float(np.count_nonzero(mask) or width * height),
                "iscrowd": is_crowd,
                "image_id": image_id,
                "bbox": [*map(float, (thing.xmin, thing.ymin, width, height))],
                "category_id": class_ids[thing.name],
                "id": next(ids),
            }


def _polygon(thing: NativeObject) -> list[float]:
    """x, y of each corner in turn; those of the box without an outline."""
    corners = thing.outline or (
        (thing.xmin, thing.ymin),
        (thing.xmax, thing.ymin),
        (thing.xmax, thing.ymax),
        (thing.xmin, thing.ymax),
    )
    return [float(value) for corner in corners for value in corner]


def _run_lengths(mask: np.ndarray) -> dict[str, list[int]]:
    """Lengths of runs by columns, of background first."""
    column_wise = np.concatenate(([False], mask.ravel(order="F")))
    starts = np.flatnonzero(np.diff(column_wise, prepend=False))
    ends = np.append(starts, column_wise.size)
    counts = np.diff(ends, prepend=0)
    counts[0] -= 1  # The element put before the mask.
    return {"counts": counts.tolist(), "size": list(mask.shape)}


def _file_name(image_id: int) -> str:
    return f"{image_id:012d}.jpg"
