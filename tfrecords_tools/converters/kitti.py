"""KITTI 2D object detection: cars and pedestrians, one label file an image."""

import argparse
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from tfrecords_tools.converters.base import Converter
from tfrecords_tools.formats.kitti_labels import (
    CLASSES,
    REGION,
    KittiObject,
    label_files,
    read_kitti_labels,
)
from tfrecords_tools.label_map import LabelMapItem
from tfrecords_tools.record import AnnotatedImage, AnnotatedObject
from tfrecords_tools.tree import Tree

_LABELS = {name: label for label, name in enumerate(CLASSES, 1)}
_MEASURES = (
    "3d_bbox/height",
    "3d_bbox/width",
    "3d_bbox/length",
    "3d_bbox/x",
    "3d_bbox/y",
    "3d_bbox/z",
    "3d_bbox/rot_y",
)
_HARD_HEIGHT = 25
_HARD_TRUNCATION = 0.5
_HARD_OCCLUSION = 2

_IMAGE_NAME = re.compile(r"([0-9]{6})\.png")


class KittiConverter(Converter):
    """Two classes; images numbered below 500 are the eval split.

    Boxes that share area with a DontCare region are left out of both splits,
    as no evaluator knows such regions. Images without a box left stay.
    """

    key = "kitti"
    title = "KITTI 2D object detection"
    expected_images: ClassVar[Mapping[str, int | None]] = MappingProxyType(
        {"train": 6981, "eval": 500}
    )
    num_shards: ClassVar[Mapping[str, int]] = MappingProxyType(
        {"train": 10, "eval": 1}
    )
    order = "image number"
    object_columns: Mapping[str, type] = MappingProxyType(
        dict.fromkeys(("truncation", "alpha", *_MEASURES), float)
    )

    def __init__(self, data_dir: Path, options: argparse.Namespace):
        super().__init__(data_dir, options)
        tree = Tree(data_dir)
        self._label_folder = tree.folder(
            "training/label_2", archive="data_object_label_2.zip"
        )
        self._image_folder = tree.folder(
            "training/image_2",
            "data_object_image_2/training/image_2",
            archive="data_object_image_2.zip",
        )

    @classmethod
    def add_flags(cls, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--keep_dont_care_overlaps",
            action="store_true",
            help="keep boxes that overlap a DontCare region",
        )
        parser.add_argument(
            "--hard_as_difficult",
            action="store_true",
            help="keep all boxes and mark those as difficult that the "
            "official benchmark does not ask for: less than 25 pixels high, "
            "more than half truncated, or of unknown occlusion",
        )
        parser.add_argument(
            "--eval_below",
            type=int,
            default=500,
            metavar="NUMBER",
            help="images with a lower number are the eval split (default: 500)",
        )

    def label_map(self) -> list[LabelMapItem]:
        return [
            LabelMapItem(label, name, name) for name, label in _LABELS.items()
        ]

    def annotated_images(self, split: str) -> Iterator[AnnotatedImage]:
        self.left_out_images.clear()
        labelled = set()
        for path in label_files(self._label_folder):
            if self._split_of(path.stem) == split:
                labelled.add(path.stem)
                yield self._image(path)
        for path in self._image_folder.iterdir():
            name = _IMAGE_NAME.fullmatch(path.name)
            if name is None or self._split_of(name[1]) != split:
                continue
            self.left_out_images["no label file"] += name[1] not in labelled
        self.left_out_images = +self.left_out_images

    def _split_of(self, number: str) -> str:
        is_eval = int(number) < self.options.eval_below
        return "eval" if is_eval else "train"

    def _image(self, path: Path) -> AnnotatedImage:
        rows = read_kitti_labels(path)
        regions = [row for row in rows if row.kind == REGION]
        objects = []
        dropped: Counter[str] = Counter()
        for row in rows:
            reason = self._reason_to_drop(row, regions)
            if reason:
                dropped[reason] += 1
            else:
                objects.append(self._object(row))
        filename = f"{path.stem}.png"
        return AnnotatedImage(
            path=self._image_folder / filename,
            filename=filename,
            source_id=path.stem,
            objects=tuple(objects),
            dropped=dict(dropped),
        )

    def _reason_to_drop(
        self, row: KittiObject, regions: list[KittiObject]
    ) -> str | None:
        keep = self.options.keep_dont_care_overlaps
        keep_all = keep or self.options.hard_as_difficult
        if row.kind == REGION:
            return "DontCare region"
        if row.kind not in _LABELS:
            return "other class"
        if not keep_all and any(_overlap(row, region) for region in regions):
            return "ignored region"
        return None

    def _object(self, row: KittiObject) -> AnnotatedObject:
        xmin, ymin, xmax, ymax = row.edges
        return AnnotatedObject(
            name=row.kind,
            label=_LABELS[row.kind],
            xmin=xmin,
            ymin=ymin,
            xmax=xmax,
            ymax=ymax,
            difficult=self.options.hard_as_difficult and _is_hard(row),
            truncated=row.truncation > 0,
            occluded=row.occlusion,
            extra={
                "truncation": row.truncation,
                "alpha": row.alpha,
                **dict(zip(_MEASURES, row.measures, strict=True)),
            },
        )


def _overlap(a: KittiObject, b: KittiObject) -> bool:
    """Whether the two share area; common edges alone have none."""
    width = min(a.edges[2], b.edges[2]) - max(a.edges[0], b.edges[0])
    height = min(a.edges[3], b.edges[3]) - max(a.edges[1], b.edges[1])
    return width > 0 and height > 0


def _is_hard(row: KittiObject) -> bool:
    return (
        row.edges[3] - row.edges[1] < _HARD_HEIGHT
        or row.occlusion > _HARD_OCCLUSION
        or row.truncation > _HARD_TRUNCATION
    )
