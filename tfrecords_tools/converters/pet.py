"""Oxford-IIIT Pet: 37 breeds, a box around the head; only the trainval list.

The official test list has no boxes. A rule of ours takes 500 of the 3,680
images of the trainval list for evaluation: those whose names hash lowest.
"""

import argparse
import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from tfrecords_tools.converters.base import Converter
from tfrecords_tools.errors import DatasetError
from tfrecords_tools.formats.pascal_xml import (
    UNSPECIFIED,
    PascalObject,
    read_pascal_xml,
)
from tfrecords_tools.formats.pet_lists import (
    PetEntry,
    read_class_list,
    read_image_list,
)
from tfrecords_tools.formats.trimap import read_trimap
from tfrecords_tools.label_map import LabelMapItem
from tfrecords_tools.record import AnnotatedImage, AnnotatedObject
from tfrecords_tools.subset import eval_subset, share
from tfrecords_tools.tree import Tree

_ARCHIVE = "annotations.tar.gz"
_OFFICIAL_IMAGES, _OFFICIAL_EVAL_IMAGES = 3680, 500


class PetConverter(Converter):
    """The class is the breed, from the image's name; ids are `list.txt`'s.

    A few images of the list have no XML. They show an animal all the same,
    so each is remarked on; without a box they count as images without pets.
    """

    key = "pet"
    title = "Oxford-IIIT Pet"
    expected_images: ClassVar[Mapping[str, int | None]] = MappingProxyType(
        {"train": 3180, "eval": 500}
    )
    num_shards: ClassVar[Mapping[str, int]] = MappingProxyType(
        {"train": 10, "eval": 10}
    )
    order = "official trainval list"
    label_map_has_gaps = True  # In a list of some breeds only.
    object_columns: Mapping[str, type] = MappingProxyType({"view": str})

    def __init__(self, data_dir: Path, options: argparse.Namespace):
        super().__init__(data_dir, options)
        tree = Tree(data_dir)
        self._class_list = tree.file(*_paths("list.txt"), archive=_ARCHIVE)
        self._image_list = tree.file(*_paths("trainval.txt"), archive=_ARCHIVE)
        self._image_folder = tree.folder("images", archive="images.tar.gz")
        if options.boxes == "head":
            self._xml_folder = tree.folder(*_paths("xmls"), archive=_ARCHIVE)
        if options.boxes == "body" or options.without_xml == "trimap":
            self._trimap_folder = tree.folder(
                *_paths("trimaps"), archive=_ARCHIVE
            )

    @classmethod
    def add_flags(cls, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--eval_images",
            type=int,
            metavar="NUMBER",
            help="images of the eval split (default: 500 of the official "
            "3680, and the same share of any other number)",
        )
        parser.add_argument(
            "--boxes",
            choices=("head", "body"),
            default="head",
            help="box around the head, from the XML (default), or around "
            "the whole animal, from the trimap, for which no XML is read",
        )
        parser.add_argument(
            "--without_xml",
            choices=("empty", "skip", "trimap"),
            default="empty",
            help="an image without XML gets no box (default), is left out, "
            "or gets the box of its trimap",
        )

    def label_map(self) -> list[LabelMapItem]:
        labels = self._labels.items()
        return [LabelMapItem(label, name, name) for name, label in labels]

    def derived_ids(self, split: str) -> list[str] | None:
        return [entry.stem for entry in self._split(split)]

    def annotated_images(self, split: str) -> Iterator[AnnotatedImage]:
        for entry in self._split(split):
            if self.options.boxes == "body":
                yield self._with_body(entry)
            elif entry.stem in self._stems_with_xml:
                yield self._with_heads(entry)
            elif self.options.without_xml == "trimap":
                yield self._with_body(entry, "no XML")
            else:
                yield self._image(entry, remarks=("no XML",))

    def _split(self, split: str) -> Iterator[PetEntry]:
        # Chosen from the whole list: no flag moves an image to the other side.
        options = self.options
        skip = options.boxes == "head" and options.without_xml == "skip"
        for entry in self._entries:
            if skip and entry.stem not in self._stems_with_xml:
                continue
            if (entry.stem in self._eval_stems) == (split == "eval"):
                yield entry

    def _with_heads(self, entry: PetEntry) -> AnnotatedImage:
        annotation = read_pascal_xml(self._xml_folder / f"{entry.stem}.xml")
        names = {found.name for found in annotation.objects}
        differs = names - {entry.species}
        return self._image(
            entry,
            objects=tuple(_head(entry, o) for o in annotation.objects),
            size=annotation.size,
            remarks=("species differs from the list",) if differs else (),
        )

    def _with_body(self, entry: PetEntry, *remarks: str) -> AnnotatedImage:
        trimap = read_trimap(self._trimap_folder / f"{entry.stem}.png")
        if trimap.extent is None:
            remarks = (*remarks, "no animal in the trimap")
            return self._image(entry, size=trimap.size, remarks=remarks)
        xmin, ymin, xmax, ymax = trimap.extent
        body = AnnotatedObject(
            name=entry.breed,
            label=entry.label,
            xmin=xmin,
            ymin=ymin,
            xmax=xmax,
            ymax=ymax,
            extra={"view": UNSPECIFIED},
        )
        return self._image(
            entry, objects=(body,), size=trimap.size, remarks=remarks
        )

    def _image(
        self,
        entry: PetEntry,
        objects: tuple[AnnotatedObject, ...] = (),
        size: tuple[int, int] | None = None,
        remarks: tuple[str, ...] = (),
    ) -> AnnotatedImage:
        filename = f"{entry.stem}.jpg"
        return AnnotatedImage(
            path=self._image_folder / filename,
            filename=filename,
            source_id=entry.stem,
            objects=objects,
            size=size,
            remarks=remarks,
        )

    @functools.cached_property
    def _labels(self) -> dict[str, int]:
        return read_class_list(self._class_list)

    @functools.cached_property
    def _entries(self) -> tuple[PetEntry, ...]:
        return read_image_list(self._image_list, self._labels)

    @functools.cached_property
    def _eval_stems(self) -> frozenset[str]:
        total, count = len(self._entries), self.options.eval_images
        if count is None:
            count = share(
                total, of=_OFFICIAL_IMAGES, part=_OFFICIAL_EVAL_IMAGES
            )
        if not 0 <= count <= total:
            raise DatasetError(
                f"`--eval_images` must lie between 0 and {total}, the number "
                f"of images listed. Received: {count} ({self._image_list})"
            )
        return eval_subset([entry.stem for entry in self._entries], count)

    @functools.cached_property
    def _stems_with_xml(self) -> frozenset[str]:
        # Names that start with a dot are rubbish of another file system.
        return frozenset(
            path.stem
            for path in self._xml_folder.iterdir()
            if path.suffix == ".xml" and not path.name.startswith(".")
        )


def _paths(name: str) -> tuple[str, str]:
    """Relative to the dataset's folder, or to its `annotations`."""
    return f"annotations/{name}", name


def _head(entry: PetEntry, found: PascalObject) -> AnnotatedObject:
    return AnnotatedObject(
        name=entry.breed,
        label=entry.label,
        xmin=found.xmin,
        ymin=found.ymin,
        xmax=found.xmax,
        ymax=found.ymax,
        difficult=found.difficult,
        truncated=found.truncated,
        occluded=found.occluded,
        extra={"view": found.pose},
    )
