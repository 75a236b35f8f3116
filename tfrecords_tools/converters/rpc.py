"""Retail Product Checkout: products lying on a counter, seen from above."""

import argparse
import functools
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

from tfrecords_tools.converters.base import Converter
from tfrecords_tools.errors import DatasetError, ParseError
from tfrecords_tools.formats.coco_boxes import annotated_object
from tfrecords_tools.formats.coco_json import (
    CocoBox,
    CocoImage,
    CocoInstances,
)
from tfrecords_tools.label_map import LabelMapItem
from tfrecords_tools.record import AnnotatedImage, AnnotatedObject
from tfrecords_tools.subset import eval_subset, share
from tfrecords_tools.tree import Tree

LEVELS = ("easy", "medium", "hard")

_FOLDER = "val2019"
_ALL_IMAGES = 6_000
_EVAL_IMAGES = 600
_ARCHIVE = "the Retail Product Checkout archive"


class RpcConverter(Converter):
    """Only `val2019` is used; a hash of the file names parts it in two.

    The archive holds its whole tree twice; the outer copy is read, and the
    inner one only where there is no other.
    """

    key = "rpc"
    title = "Retail Product Checkout (RPC)"
    expected_images = MappingProxyType({"train": 5_400, "eval": 600})
    num_shards = MappingProxyType({"train": 10, "eval": 2})
    order = "order of `images` in instances_val2019.json"
    image_columns = MappingProxyType({"level": str})

    def __init__(self, data_dir: Path, options: argparse.Namespace):
        super().__init__(data_dir, options)
        self._annotations = Tree(data_dir).file(
            f"instances_{_FOLDER}.json", archive=_ARCHIVE
        )
        self._images = Tree(self._annotations.parent).folder(
            _FOLDER, archive=_ARCHIVE
        )

    @classmethod
    def add_flags(cls, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--eval_images",
            type=int,
            metavar="N",
            help="images of the eval split; by default 600 of 6,000, or the "
            "same share of what is there",
        )
        parser.add_argument(
            "--stratify",
            action="store_true",
            help="take the same number of eval images from each level",
        )

    def label_map(self) -> list[LabelMapItem]:
        return list(self._classes.values())

    def annotated_images(self, split: str) -> Iterator[AnnotatedImage]:
        for image in self._images_of(split):
            source_id = f"{_FOLDER}/{image.file_name}"
            yield AnnotatedImage(
                path=self._images / image.file_name,
                filename=source_id,
                source_id=source_id,
                objects=tuple(
                    self._annotated_object(box)
                    for box in self._instances.boxes(image)
                ),
                size=(image.width, image.height),
                extra={"level": image.level},
            )

    def derived_ids(self, split: str) -> list[str]:
        return [image.file_name for image in self._images_of(split)]

    @functools.cached_property
    def _instances(self) -> CocoInstances:
        instances = CocoInstances(self._annotations)
        for index, image in enumerate(instances.images):
            if image.level not in LEVELS:
                raise ParseError(
                    self._annotations,
                    f"images[{index}]",
                    f"`level` must be one of {', '.join(LEVELS)}. Received: "
                    f"{image.level or 'none'!r}",
                )
        return instances

    @functools.cached_property
    def _classes(self) -> dict[int, LabelMapItem]:
        """Classes by id; ids leave no gap."""
        classes = {
            kind.id: LabelMapItem(kind.id, kind.name, kind.name)
            for kind in self._instances.categories
        }
        if not classes or list(classes) != list(range(1, len(classes) + 1)):
            raise ParseError(
                self._annotations,
                "categories",
                f"Ids of classes must start at 1 and leave no gap. Received "
                f"{len(classes)} ids up to {max(classes, default=0)}",
            )
        return classes

    def _images_of(self, split: str) -> Iterator[CocoImage]:
        for image in self._instances.images:
            if (image.file_name in self._eval_names) == (split == "eval"):
                yield image

    @functools.cached_property
    def _eval_names(self) -> frozenset[str]:
        images = self._instances.images
        if not self.options.stratify:
            names = [image.file_name for image in images]
            return _choose(names, self._num_eval(names, 1), "images")
        chosen: set[str] = set()
        for level in LEVELS:
            names = [i.file_name for i in images if i.level == level]
            number = self._num_eval(names, len(LEVELS))
            chosen |= _choose(names, number, f"images of level {level!r}")
        return frozenset(chosen)

    def _num_eval(self, names: list[str], parts: int) -> int:
        """Eval images to take from one of so many equal parts."""
        given: int | None = self.options.eval_images
        if given is None:
            return share(len(names), _ALL_IMAGES, _EVAL_IMAGES)
        if given % parts:
            raise DatasetError(
                f"`--eval_images` must be a multiple of {parts} with "
                f"`--stratify`. Received: {given}"
            )
        return given // parts

    def _annotated_object(self, box: CocoBox) -> AnnotatedObject:
        return annotated_object(box, self._classes[box.category_id])


def _choose(names: list[str], count: int, what: str) -> frozenset[str]:
    if not 1 <= count < len(names):
        raise DatasetError(
            f"The eval split must have at least one and leave at least one "
            f"of the {len(names)} {what}. Received: {count}"
        )
    return eval_subset(names, count)
