"""Open Images V4: boxes of 601 classes in 1.7 million photos."""

import argparse
import functools
import math
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

from tfrecords_tools.converters.base import Converter
from tfrecords_tools.errors import ParseError
from tfrecords_tools.formats.csv_rows import csv_rows
from tfrecords_tools.formats.image_index import ImageIndex
from tfrecords_tools.formats.oid_boxes import OidBox, boxes_by_image
from tfrecords_tools.label_map import LabelMapItem
from tfrecords_tools.record import (
    AnnotatedImage,
    AnnotatedObject,
    EdgeRule,
    Scalar,
)
from tfrecords_tools.tree import Tree

UNKNOWN_CLASS = "unknown class"
GROUP_OF = "group of"

_ARCHIVE = "a download of its own beside the Open Images V4 archives"
_MID = re.compile(r"/[a-z]/[0-9a-z_]+")
_FOLDERS = {"train": "train", "eval": "validation"}


class OidConverter(Converter):
    """A split has the images with at least one box of a known class.

    An image that has boxes but no file gets a path where there is none:
    people hold parts of the dataset. Numbers of classes are lines of the
    class file, as in the OD API's `oid_v4` label map.
    """

    key = "oid"
    title = "Open Images V4"
    expected_images = MappingProxyType({"train": None, "eval": None})
    num_shards = MappingProxyType({"train": 1000, "eval": 100})
    order = "sorted by ImageID"
    object_columns = MappingProxyType({"depiction": int})
    may_lack_images = True
    optional_splits = ("eval",)

    def __init__(self, data_dir: Path, options: argparse.Namespace):
        super().__init__(data_dir, options)
        tree = Tree(data_dir)
        self._class_file = tree.file(
            "class-descriptions-boxable.csv", archive=_ARCHIVE
        )
        self._box_files = {
            split: path
            for split, folder in _FOLDERS.items()
            if (path := tree.optional_file(_box_file(folder)))
        }
        if not self._box_files:
            tree.file(_box_file(_FOLDERS["train"]), archive=_ARCHIVE)
        if options.group_of_weight is not None:
            # The column exists if the user asks for weights.
            self.object_columns = MappingProxyType(
                {"depiction": int, "weight": float}
            )

    @classmethod
    def add_flags(cls, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--group_of_weight",
            type=_weight,
            metavar="WEIGHT",
            help="loss weight of boxes around groups, such as 0; other boxes "
            "then get 1, and without this flag none is written",
        )
        parser.add_argument(
            "--drop_group_of",
            action="store_true",
            help="leave boxes around groups out of the training split",
        )

    @property
    def splits(self) -> tuple[str, ...]:
        return tuple(self._box_files)

    def label_map(self) -> list[LabelMapItem]:
        return list(self._classes.values())

    def annotated_images(self, split: str) -> Iterator[AnnotatedImage]:
        self.left_out_images.clear()
        self.left_out_boxes.clear()
        if split not in self._box_files:
            self._miss(split)
        for image_id, boxes in boxes_by_image(self._box_files[split]):
            known = [box for box in boxes if box.class_id in self._classes]
            num_unknown = len(boxes) - len(known)
            if known:
                path = self._path(split, image_id)
                drop_groups = split == "train" and self.options.drop_group_of
                yield self._annotated_image(
                    path, image_id, known, num_unknown, drop_groups
                )
            else:
                self.left_out_images["unknown classes only"] += 1
                self.left_out_boxes[UNKNOWN_CLASS] += num_unknown

    def shard(self, image: AnnotatedImage, index: int, num_shards: int) -> int:
        """By the id, so that the shard of an image never changes."""
        return int(image.source_id, 16) % num_shards

    def _path(self, split: str, image_id: str) -> Path:
        absent = self.data_dir / _FOLDERS[split] / f"{image_id}.jpg"
        return self._image_index.find(image_id) or absent

    def check_split(self, split: str) -> None:
        # Reading the first image would sort all rows.
        if split not in self._box_files:
            self._miss(split)

    def _miss(self, split: str) -> None:
        Tree(self.data_dir).file(_box_file(_FOLDERS[split]), archive=_ARCHIVE)

    def _annotated_image(
        self,
        path: Path,
        image_id: str,
        boxes: list[OidBox],
        num_unknown: int,
        drop_groups: bool,
    ) -> AnnotatedImage:
        dropped = Counter({UNKNOWN_CLASS: num_unknown})
        if drop_groups:
            dropped[GROUP_OF] = sum(box.group_of for box in boxes)
            boxes = [box for box in boxes if not box.group_of]
        return AnnotatedImage(
            path=path,
            filename=f"{image_id}.jpg",
            source_id=image_id,
            objects=tuple(map(self._annotated_object, boxes)),
            edge_rule=EdgeRule.FRACTIONS,
            dropped=+dropped,
        )

    def _annotated_object(self, box: OidBox) -> AnnotatedObject:
        extra: dict[str, Scalar] = {"depiction": int(box.depiction)}
        if self.options.group_of_weight is not None:
            weight: float = self.options.group_of_weight
            extra["weight"] = weight if box.group_of else 1.0
        return AnnotatedObject(
            name=box.class_id,
            label=self._classes[box.class_id].id,
            xmin=box.xmin,
            ymin=box.ymin,
            xmax=box.xmax,
            ymax=box.ymax,
            occluded=int(box.occluded),
            truncated=box.truncated,
            group_of=box.group_of,
            extra=extra,
        )

    @functools.cached_property
    def _image_index(self) -> ImageIndex:
        return ImageIndex(self.data_dir)

    @functools.cached_property
    def _classes(self) -> dict[str, LabelMapItem]:
        """Classes by MID, the machine id that the box files have."""
        items: dict[str, LabelMapItem] = {}
        texts: set[str] = set()
        for line, row in csv_rows(self._class_file):
            new = set(row)
            is_class = len(row) == 2 and all(row) and _MID.fullmatch(row[0])
            if not is_class or new & texts:
                raise self._class_error(line, row)
            if line != len(items) + 1:
                raise self._class_error(
                    line, ["a blank or split line before", *row]
                )
            texts |= new
            items[row[0]] = LabelMapItem(line, *row)
        if not items:
            raise self._class_error(1, [])
        return items

    def _class_error(self, line: int, row: list[str]) -> ParseError:
        return ParseError(
            self._class_file,
            f"line {line}",
            f"Each line must be a class, an id such as /m/011k07 and a name, "
            f"found on no other line, without a header. Received: "
            f"{','.join(row)!r}",
        )


def _box_file(folder: str) -> str:
    return f"{folder}-annotations-bbox.csv"


def _weight(text: str) -> float:
    """Value of `--group_of_weight`; raises ArgumentTypeError."""
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not (math.isfinite(weight) and weight >= 0):
        raise argparse.ArgumentTypeError(
            f"A weight must be a number, 0 or more. Received: {text!r}"
        )
    return weight
