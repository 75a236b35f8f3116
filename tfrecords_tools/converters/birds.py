"""Caltech-UCSD Birds 200, the edition of 2010: one bird and box an image.

The edition of 2011 has the same species but other images, lists and files;
it is recognised and refused.
"""

import argparse
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from tfrecords_tools.converters.base import Converter
from tfrecords_tools.errors import MissingDataError, ParseError
from tfrecords_tools.formats.matlab import read_mat
from tfrecords_tools.formats.text import numbered_lines
from tfrecords_tools.label_map import LabelMapItem
from tfrecords_tools.record import AnnotatedImage, AnnotatedObject, EdgeRule
from tfrecords_tools.tree import Tree

_LISTS_ARCHIVE = "lists.tgz"
_FOLDER = re.compile(r"([0-9]{3})\.([^/\\]+)")
_LISTED = re.compile(r"([^/\\]+)/([^/\\]+)\.jpg")


class BirdsConverter(Converter):
    """200 species; boxes counted from 1, the last pixel included."""

    key = "birds"
    title = "Caltech-UCSD Birds 200 (2010)"
    expected_images: ClassVar[Mapping[str, int | None]] = MappingProxyType(
        {"train": 3000, "eval": 3033}
    )
    num_shards: ClassVar[Mapping[str, int]] = MappingProxyType(
        {"train": 10, "eval": 10}
    )
    order = "official lists"

    def __init__(self, data_dir: Path, options: argparse.Namespace):
        super().__init__(data_dir, options)
        tree = Tree(data_dir)
        _refuse_2011(tree)
        self._class_list = tree.file(
            "lists/classes.txt", archive=_LISTS_ARCHIVE
        )
        self._lists = {
            "train": tree.file("lists/train.txt", archive=_LISTS_ARCHIVE),
            "eval": tree.file("lists/test.txt", archive=_LISTS_ARCHIVE),
        }
        self._images = tree.folder("images", archive="images.tgz")
        self._annotations = tree.folder(
            "annotations-mat", "annotations_mat", archive="annotations.tgz"
        )

    def label_map(self) -> list[LabelMapItem]:
        return list(self._classes().values())

    def annotated_images(self, split: str) -> Iterator[AnnotatedImage]:
        classes = self._classes()
        list_path = self._lists[split]
        for number, line in numbered_lines(list_path):
            listed = _LISTED.fullmatch(line.rstrip())
            if listed is None or not line.isprintable():
                raise ParseError(
                    list_path,
                    f"line {number}",
                    f"A line must be <folder>/<name>.jpg. Received: "
                    f"{line[:80]!r}",
                )
            folder, stem = listed.groups()
            if folder not in classes:
                raise ParseError(
                    list_path,
                    f"line {number}",
                    f"An image's folder must be one of {self._class_list.name}"
                    f". Received: {folder[:80]!r}",
                )
            yield self._image(folder, stem, classes[folder])

    def _classes(self) -> dict[str, LabelMapItem]:
        """Classes by folder; the folder's prefix is the line's number."""
        classes = {}
        for number, line in numbered_lines(self._class_list):
            folder = _FOLDER.fullmatch(line.rstrip())
            if folder is None or int(folder[1]) != number:
                raise ParseError(
                    self._class_list,
                    f"line {number}",
                    f"A class must be {number:03}.<name>, as its line's "
                    f"number. Received: {line[:80]!r}",
                )
            classes[folder[0]] = LabelMapItem(number, folder[2], folder[2])
        return classes

    def _image(
        self, folder: str, stem: str, species: LabelMapItem
    ) -> AnnotatedImage:
        bbox, seg = read_mat(
            self._annotations / folder / f"{stem}.mat", "bbox", "seg"
        )
        height, width = seg.shape()
        bird = AnnotatedObject(
            name=species.name,
            label=species.id,
            xmin=bbox.field("left").integer(),
            ymin=bbox.field("top").integer(),
            xmax=bbox.field("right").integer(),
            ymax=bbox.field("bottom").integer(),
        )
        return AnnotatedImage(
            path=self._images / folder / f"{stem}.jpg",
            filename=f"{folder}/{stem}.jpg",
            source_id=stem,
            objects=(bird,),
            edge_rule=EdgeRule.ONE_BASED_INCLUSIVE,
            size=(width, height),
        )


def _refuse_2011(tree: Tree) -> None:
    is_2010 = tree.optional_file("lists/classes.txt") is not None
    boxes = tree.optional_file("bounding_boxes.txt")
    if is_2010 or boxes is None or not (boxes.parent / "images.txt").is_file():
        return
    raise MissingDataError(
        f"`--data_dir` must hold Caltech-UCSD Birds 200 of 2010 (images.tgz, "
        f"annotations.tgz, lists.tgz). Received: CUB-200-2011, another "
        f"dataset, whose boxes are in {boxes}"
    )
