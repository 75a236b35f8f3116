"""Writes Retail Product Checkout's layout: the folder val2019 and its JSON."""

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tfrecords_tools.subset import hash_order
from tfrecords_tools.synthetic.native.base import NativeImage

LEVELS = ("easy", "medium", "hard")


def write(
    root: Path,
    train: Sequence[NativeImage],
    eval: Sequence[NativeImage],
    *,
    class_names: Sequence[str],
) -> None:
    """Both splits share a folder; a hash of the file names parts them.

    Pictures get their names so that `--eval_images` with the length of
    `eval` finds them again. Without it the converter takes one in ten.

    `NativeImage.flags` may give `level`; by default levels take turns.
    """
    total = len(train) + len(eval)
    names = hash_order(_file_name(index) for index in range(total))
    by_name = dict(sorted(zip(names, [*eval, *train], strict=True)))
    (root / "val2019").mkdir()
    for name, image in by_name.items():
        (root / "val2019" / name).write_bytes(image.encoded)
    class_ids = {name: id for id, name in enumerate(class_names, 1)}
    content = _content(by_name, class_ids)
    (root / "instances_val2019.json").write_text(
        json.dumps(content, ensure_ascii=False), encoding="utf-8"
    )


def _content(
    images: Mapping[str, NativeImage], class_ids: Mapping[str, int]
) -> dict[str, Any]:
    return {
        "info": {"description": "Drawn pictures", "year": 2019},
        "licenses": [{"url": "", "id": 1, "name": "None"}],
        "categories": [
            {"supercategory": "product", "id": id, "name": name}
            for name, id in class_ids.items()
        ],
        "__raw_Chinese_name_df": [
            {"sku_name": name, "category_id": id, "name": f"商品{id}"}
            for name, id in class_ids.items()
        ],
        "images": [
            {
                "file_name": name,
                "width": image.width,
                "height": image.height,
                "id": id,
                "level": image.flags.get("level", LEVELS[id % len(LEVELS)]),
            }
            for id, (name, image) in enumerate(images.items())
        ],
        "annotations": list(_annotations(images.values(), class_ids)),
    }


def _annotations(
    images: Iterable[NativeImage], class_ids: Mapping[str, int]
) -> Iterator[dict[str, Any]]:
    ids = itertools.count()
    for image_id, image in enumerate(images):
        for thing in image.objects:
            width, height = thing.xmax - thing.xmin, thing.ymax - thing.ymin
            yield {
                "area": float(width * height),
                "bbox": [*map(float, (thing.xmin, thing.ymin, width, height))],
                "category_id": class_ids[thing.name],
                "id": next(ids),
                "image_id": image_id,
                "iscrowd": 0,
                "point_xy": [
                    thing.xmin + width / 2,
                    thing.ymin + height / 2,
                ],
                "segmentation": [[]],
            }


def _file_name(index: int) -> str:
    """Made of the time of day, one picture every second."""
    minutes, second = divmod(index, 60)
    hour, minute = divmod(minutes, 60)
    return f"20180824-{hour:02d}-{minute:02d}-{second:02d}-{index:03d}.jpg"
