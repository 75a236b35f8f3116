"""Stanford Dogs: one breed an image, one or more dogs in it.

The lists say which breed; the names in the XML files are compared with it.
"""

import argparse
import dataclasses
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from tfrecords_tools.converters.base import Converter
from tfrecords_tools.errors import ParseError
from tfrecords_tools.formats.matlab import read_mat
from tfrecords_tools.formats.matlab_value import MatValue
from tfrecords_tools.formats.pascal_xml import PascalObject, read_pascal_xml
from tfrecords_tools.label_map import LabelMapItem
from tfrecords_tools.record import AnnotatedImage, AnnotatedObject
from tfrecords_tools.tree import Tree

CLASS_DIFFERS = "class differs from the list"
_LISTS_ARCHIVE = "lists.tar"
_LISTED = re.compile(
    r"(?P<folder>(?P<synset>n[0-9]{8})-(?P<breed>[^/\\]+))"
    r"/(?P<stem>(?P=synset)_[0-9]+)\.jpg"
)


class DogsConverter(Converter):
    """120 breeds; boxes in pixels from 0, as they are."""

    key = "dogs"
    title = "Stanford Dogs"
    expected_images: ClassVar[Mapping[str, int | None]] = MappingProxyType(
        {"train": 12000, "eval": 8580}
    )
    num_shards: ClassVar[Mapping[str, int]] = MappingProxyType(
        {"train": 10, "eval": 10}
    )
    order = "official lists"
    label_map_has_gaps = True  # In lists of some breeds only.
    object_columns: Mapping[str, type] = MappingProxyType({"view": str})

    def __init__(self, data_dir: Path, options: argparse.Namespace):
        super().__init__(data_dir, options)
        tree = Tree(data_dir)
        self._lists = {
            "train": tree.file("train_list.mat", archive=_LISTS_ARCHIVE),
            "eval": tree.file("test_list.mat", archive=_LISTS_ARCHIVE),
        }
        self._whole_list = tree.optional_file("file_list.mat")
        self._images = tree.folder("Images", "images", archive="images.tar")
        self._annotations = tree.folder(
            "Annotation",
            "annotation",
            "Annotations",
            "annotations",
            archive="annotation.tar",
        )

    def label_map(self) -> list[LabelMapItem]:
        return list(self._breeds().values())

    def annotated_images(self, split: str) -> Iterator[AnnotatedImage]:
        breeds = self._breeds()
        for listed in _read_list(self._lists[split]):
            breed = breeds.get(listed.folder)
            if breed is None or breed.id != listed.label:
                known = "none" if breed is None else str(breed.id)
                raise listed.error(
                    f"An image's label must be that of its folder in all "
                    f"lists, {known}. Received: {listed.label}"
                )
            yield self._image(listed, breed)

    def _breeds(self) -> dict[str, LabelMapItem]:
        """Breeds by folder, numbered in the alphabetical order of folders."""
        first: dict[str, _Listed] = {}
        lists = self._lists.values()
        for path in [self._whole_list] if self._whole_list else lists:
            for listed in _read_list(path):
                first.setdefault(listed.folder, listed)
        breeds: dict[str, LabelMapItem] = {}
        greatest = 0
        for folder, listed in sorted(first.items()):
            if listed.label <= greatest:
                raise listed.error(
                    f"Labels must number the folders in alphabetical order; "
                    f"that of {folder} must be greater than {greatest}. "
                    f"Received: {listed.label}"
                )
            greatest = listed.label
            breeds[folder] = LabelMapItem(greatest, listed.breed, listed.breed)
        return breeds

    def _image(self, listed: "_Listed", breed: LabelMapItem) -> AnnotatedImage:
        path = f"{listed.folder}/{listed.stem}"
        annotation = read_pascal_xml(
            self._annotations / listed.folder / listed.stem
        )
        differs = any(dog.name != breed.name for dog in annotation.objects)
        return AnnotatedImage(
            path=self._images / listed.folder / f"{listed.stem}.jpg",
            filename=f"{path}.jpg",
            source_id=listed.stem,
            objects=tuple(_dog(dog, breed) for dog in annotation.objects),
            size=annotation.size,
            remarks=(CLASS_DIFFERS,) if differs else (),
        )


@dataclasses.dataclass(frozen=True, slots=True)
class _Listed:
    """An entry of a list; `value` knows its place in the file."""

    folder: str
    breed: str
    stem: str
    label: int
    value: MatValue

    def error(self, problem: str) -> ParseError:
        return self.value.error(problem)


def _read_list(path: Path) -> Iterator[_Listed]:
    files, labels = read_mat(path, "file_list", "labels")
    entries, numbers = list(files.cells()), labels.integers()
    if len(entries) != len(numbers):
        raise labels.error(
            f"There must be a label for each of {len(entries)} files. "
            f"Received: {len(numbers)}"
        )
    for value, label in zip(entries, numbers, strict=True):
        text = value.text()
        match = _LISTED.fullmatch(text)
        if match is None:
            raise value.error(
                f"A listed image must be <synset>-<breed>/<synset>_<number>"
                f".jpg. Received: {text[:80]!r}"
            )
        folder, breed, stem = match.group("folder", "breed", "stem")
        yield _Listed(folder, breed, stem, label, value)


def _dog(dog: PascalObject, breed: LabelMapItem) -> AnnotatedObject:
    return AnnotatedObject(
        name=breed.name,
        label=breed.id,
        xmin=dog.xmin,
        ymin=dog.ymin,
        xmax=dog.xmax,
        ymax=dog.ymax,
        difficult=dog.difficult,
        truncated=dog.truncated,
        occluded=dog.occluded,
        extra={"view": dog.pose},
    )
