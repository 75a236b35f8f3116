"""COCO 2017: boxes of 80 everyday classes."""

import argparse
import functools
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

from tfrecords_tools.converters.base import Converter
from tfrecords_tools.errors import ParseError
from tfrecords_tools.formats.coco_boxes import annotated_object
from tfrecords_tools.formats.coco_json import (
    CocoBox,
    CocoImage,
    CocoInstances,
)
from tfrecords_tools.label_map import LabelMapItem
from tfrecords_tools.record import AnnotatedImage, AnnotatedObject
from tfrecords_tools.tree import Tree

CROWD = "crowd"
OUT_OF_BOUNDS = "out of bounds"

_ARCHIVE = "annotations_trainval2017.zip"
_FOLDERS = {"train": "train2017", "eval": "val2017"}


class CocoConverter(Converter):
    """Ids of classes keep COCO's ten gaps unless the user says otherwise.

    A crowd, one box around many objects, is also `difficult`: evaluators
    that know nothing of crowds then ignore it as COCO's own does.
    """

    key = "coco"
    title = "COCO 2017"
    expected_images = MappingProxyType({"train": 118_287, "eval": 5_000})
    num_shards = MappingProxyType({"train": 100, "eval": 50})
    order = "order of `images` in the instances files"
    label_map_has_gaps = True

    def __init__(self, data_dir: Path, options: argparse.Namespace):
        super().__init__(data_dir, options)
        self._tree = Tree(data_dir)
        if not self.splits:
            self._instances_path("train")
        # Whether there are gaps is the user's choice here.
        has_gaps = not options.contiguous_ids
        self.label_map_has_gaps = has_gaps

    @classmethod
    def add_flags(cls, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--contiguous_ids",
            action="store_true",
            help="number the classes without gaps, 1 to 80; a COCO "
            "checkpoint's class head then does not fit",
        )
        parser.add_argument(
            "--drop_crowds",
            action="store_true",
            help="leave boxes around crowds out of the training split",
        )
        parser.add_argument(
            "--drop_out_of_bounds",
            action="store_true",
            help="leave out boxes that reach over the right or lower border, "
            "as the OD API's converter does, instead of clipping them",
        )

    @property
    def splits(self) -> tuple[str, ...]:
        return tuple(
            split
            for split, folder in _FOLDERS.items()
            if self._tree.optional_file(*_names(folder))
        )

    def label_map(self) -> list[LabelMapItem]:
        return list(self._classes.values())

    def annotated_images(self, split: str) -> Iterator[AnnotatedImage]:
        path = self._instances_path(split)
        folder = self._image_folder(split)
        instances = CocoInstances(path)
        classes = self._classes
        found = {kind.id: kind.name for kind in instances.categories}
        if found != {id: item.name for id, item in classes.items()}:
            raise ParseError(
                path, "categories", "Both splits must have the same classes"
            )
        for image in instances.images:
            boxes = instances.boxes(image)
            yield self._annotated_image(split, folder, image, boxes)

    def check_split(self, split: str) -> None:
        # Reading the first image would read a whole instances file.
        self._instances_path(split)
        self._image_folder(split)

    def _instances_path(self, split: str) -> Path:
        return self._tree.file(*_names(_FOLDERS[split]), archive=_ARCHIVE)

    def _image_folder(self, split: str) -> Path:
        name = _FOLDERS[split]
        return self._tree.folder(name, f"images/{name}", archive=f"{name}.zip")

    @functools.cached_property
    def _classes(self) -> dict[int, LabelMapItem]:
        """Classes by category id, from the smaller of the files there are."""
        path = self._instances_path(self.splits[-1])
        categories = CocoInstances(path).categories
        if not categories:
            raise ParseError(path, "categories", "Received no class")
        return {
            kind.id: LabelMapItem(
                id=rank if self.options.contiguous_ids else kind.id,
                name=kind.name,
                display_name=kind.name,
            )
            for rank, kind in enumerate(categories, 1)
        }

    def _annotated_image(
        self,
        split: str,
        folder: Path,
        image: CocoImage,
        boxes: Iterator[CocoBox],
    ) -> AnnotatedImage:
        objects, dropped = [], Counter[str]()
        for box in boxes:
            reason = self._reason_to_drop(split, box, image)
            if reason:
                dropped[reason] += 1
            else:
                objects.append(self._annotated_object(box))
        return AnnotatedImage(
            path=folder / image.file_name,
            filename=image.file_name,
            source_id=str(image.id),
            objects=tuple(objects),
            size=(image.width, image.height),
            dropped=dropped,
        )

    def _reason_to_drop(
        self, split: str, box: CocoBox, image: CocoImage
    ) -> str | None:
        # In evaluation a crowd is a region to ignore, not to forget.
        drop_crowds = split == "train" and self.options.drop_crowds
        if drop_crowds and box.is_crowd:
            return CROWD
        is_outside = (
            box.x + box.width > image.width or box.y + box.height > image.height
        )
        if self.options.drop_out_of_bounds and is_outside:
            return OUT_OF_BOUNDS
        return None

    def _annotated_object(self, box: CocoBox) -> AnnotatedObject:
        return annotated_object(
            box, self._classes[box.category_id], difficult=box.is_crowd
        )


def _names(folder: str) -> tuple[str, str]:
    """Where a split's instances file may be."""
    name = f"instances_{folder}.json"
    return f"annotations/{name}", name
