"""Pascal VOC 2007 and 2012: train on both trainval sets, evaluate on 2007 test.

Only what the lists of `ImageSets/Main` name belongs to the detection task;
the image folders hold pictures of other tasks too.
"""

import argparse
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from tfrecords_tools.converters.base import Converter
from tfrecords_tools.errors import ParseError
from tfrecords_tools.formats.pascal_xml import PascalObject, read_pascal_xml
from tfrecords_tools.formats.text import numbered_lines
from tfrecords_tools.label_map import LabelMapItem
from tfrecords_tools.record import AnnotatedImage, AnnotatedObject, EdgeRule
from tfrecords_tools.tree import Tree

CLASS_NAMES = (
    "aeroplane",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "bus",
    "car",
    "cat",
    "chair",
    "cow",
    "diningtable",
    "dog",
    "horse",
    "motorbike",
    "person",
    "pottedplant",
    "sheep",
    "sofa",
    "train",
    "tvmonitor",
)
_LABELS = {name: label for label, name in enumerate(CLASS_NAMES, 1)}
_LISTS = MappingProxyType(
    {
        "train": (
            (2007, "trainval", "VOCtrainval_06-Nov-2007.tar"),
            (2012, "trainval", "VOCtrainval_11-May-2012.tar"),
        ),
        "eval": ((2007, "test", "VOCtest_06-Nov-2007.tar"),),
    }
)
"""Year, name and archive of the lists that make up a split."""
_IMAGE_ID = re.compile(r"[0-9A-Za-z_-]+", re.ASCII)


class VocConverter(Converter):
    """20 classes; boxes counted from 1, the last pixel included.

    Objects marked as difficult stay in both splits, with the flag. A class
    beyond the 20 is an error: only `part` elements, which are never read,
    have any.
    """

    key = "voc"
    title = "Pascal VOC 2007 + 2012"
    expected_images: ClassVar[Mapping[str, int | None]] = MappingProxyType(
        {"train": 16551, "eval": 4952}
    )
    num_shards: ClassVar[Mapping[str, int]] = MappingProxyType(
        {"train": 20, "eval": 10}
    )
    order = "official lists, 2007 before 2012"
    object_columns: Mapping[str, type] = MappingProxyType({"view": str})

    def __init__(self, data_dir: Path, options: argparse.Namespace):
        super().__init__(data_dir, options)
        self._tree = Tree(data_dir)
        if not self.splits:
            self._lists("train")

    @classmethod
    def add_flags(cls, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--drop_difficult",
            action="store_true",
            help="leave objects marked as difficult out of the training split",
        )

    @property
    def splits(self) -> tuple[str, ...]:
        return tuple(
            split
            for split, lists in _LISTS.items()
            if all(
                self._tree.optional_file(*_list_paths(year, name))
                for year, name, _ in lists
            )
        )

    def label_map(self) -> list[LabelMapItem]:
        return [
            LabelMapItem(label, name, name) for name, label in _LABELS.items()
        ]

    def annotated_images(self, split: str) -> Iterator[AnnotatedImage]:
        drop_difficult = split == "train" and self.options.drop_difficult
        for list_path in self._lists(split):
            year_folder = list_path.parents[2]
            for image_id in _image_ids(list_path):
                yield _image(year_folder, image_id, drop_difficult)

    def _lists(self, split: str) -> list[Path]:
        return [
            self._tree.file(*_list_paths(year, name), archive=archive)
            for year, name, archive in _LISTS[split]
        ]


def _list_paths(year: int, name: str) -> tuple[str, str]:
    """Where the list may be: in the folder's `VOCdevkit`, or right in it."""
    path = f"VOC{year}/ImageSets/Main/{name}.txt"
    return f"VOCdevkit/{path}", path


def _image_ids(list_path: Path) -> Iterator[str]:
    for number, line in numbered_lines(list_path):
        image_id = line.strip()
        if not _IMAGE_ID.fullmatch(image_id):
            raise ParseError(
                list_path,
                f"line {number}",
                f"A list of images must hold one id a line, of letters, "
                f"digits, `_` and `-`. Received: {line[:80]!r}",
            )
        yield image_id


def _image(
    year_folder: Path, image_id: str, drop_difficult: bool
) -> AnnotatedImage:
    xml_path = year_folder / "Annotations" / f"{image_id}.xml"
    annotation = read_pascal_xml(xml_path)
    objects = [
        _object(found, number, xml_path)
        for number, found in enumerate(annotation.objects, 1)
    ]
    kept = [o for o in objects if not (drop_difficult and o.difficult)]
    num_dropped = len(objects) - len(kept)
    return AnnotatedImage(
        path=year_folder / "JPEGImages" / f"{image_id}.jpg",
        filename=f"{image_id}.jpg",
        source_id=image_id,
        objects=tuple(kept),
        edge_rule=EdgeRule.ONE_BASED_INCLUSIVE,
        size=annotation.size,
        dropped={"difficult": num_dropped} if num_dropped else {},
    )


def _object(
    found: PascalObject, number: int, xml_path: Path
) -> AnnotatedObject:
    if found.name not in _LABELS:
        raise ParseError(
            xml_path,
            f"object {number}, tag `name`",
            f"An object's class must be one of Pascal VOC's 20. Received: "
            f"{found.name[:80]!r}",
        )
    return AnnotatedObject(
        name=found.name,
        label=_LABELS[found.name],
        xmin=found.xmin,
        ymin=found.ymin,
        xmax=found.xmax,
        ymax=found.ymax,
        difficult=found.difficult,
        truncated=found.truncated,
        occluded=found.occluded,
        extra={"view": found.pose},
    )
