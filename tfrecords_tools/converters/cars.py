"""Stanford Cars, in either of its packagings: one car and box an image.

The devkit has a file of annotations for each split; the other packaging has
one for both, and numbers the images anew.
"""

import abc
import argparse
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from tfrecords_tools.converters.base import Converter
from tfrecords_tools.errors import MissingDataError
from tfrecords_tools.formats.matlab import read_mat
from tfrecords_tools.formats.matlab_value import MatValue
from tfrecords_tools.label_map import LabelMapItem
from tfrecords_tools.record import AnnotatedImage, AnnotatedObject, EdgeRule
from tfrecords_tools.tree import Tree

_OFFICIAL_SPLITS = MappingProxyType({"train": "train", "eval": "test"})
_TEST_LABELS = "cars_test_annos_withlabels.mat"
_FILE_NAME = re.compile(r"[0-9A-Za-z_-]+\.jpg")


class CarsConverter(Converter):
    """196 models; boxes counted from 1, the last pixel included.

    Without `cars_test_annos_withlabels.mat` there is no eval split: the
    devkit's own file of the test set has no classes.
    """

    key = "cars"
    title = "Stanford Cars"
    expected_images: ClassVar[Mapping[str, int | None]] = MappingProxyType(
        {"train": 8144, "eval": 8041}
    )
    num_shards: ClassVar[Mapping[str, int]] = MappingProxyType(
        {"train": 10, "eval": 10}
    )
    order = "official annotation files"

    def __init__(self, data_dir: Path, options: argparse.Namespace):
        super().__init__(data_dir, options)
        tree = Tree(data_dir)
        is_combined = (
            tree.optional_file(*_devkit("cars_train_annos.mat")) is None
            and tree.optional_file(*_devkit("cars_annos.mat")) is not None
        )
        self._packaging: _Packaging = (
            _Combined(tree) if is_combined else _Official(tree)
        )

    @property
    def splits(self) -> tuple[str, ...]:
        return self._packaging.splits

    def label_map(self) -> list[LabelMapItem]:
        return [
            LabelMapItem(label, name, name)
            for label, name in enumerate(self._packaging.class_names(), 1)
        ]

    def annotated_images(self, split: str) -> Iterator[AnnotatedImage]:
        class_names = self._packaging.class_names()
        for path, record in self._packaging.records(split):
            yield AnnotatedImage(
                path=path,
                filename=f"{self._packaging.folder_name(split)}/{path.name}",
                source_id=f"{_OFFICIAL_SPLITS[split]}/{path.name}",
                objects=(_car(record, class_names),),
                edge_rule=EdgeRule.ONE_BASED_INCLUSIVE,
            )


class _Packaging(abc.ABC):
    """Where the answers lie in one of the two trees."""

    splits: tuple[str, ...] = ("train", "eval")

    @abc.abstractmethod
    def class_names(self) -> list[str]:
        """Names in the order of labels."""

    @abc.abstractmethod
    def folder_name(self, split: str) -> str:
        """Folder of the split's images."""

    @abc.abstractmethod
    def records(self, split: str) -> Iterator[tuple[Path, MatValue]]:
        """(image file, its struct) of a split."""


class _Official(_Packaging):
    """`cars_train`, `cars_test`, `devkit`; both number from `00001.jpg`."""

    def __init__(self, tree: Tree):
        archive = "car_devkit.tgz"
        self._meta = tree.file(*_devkit("cars_meta.mat"), archive=archive)
        self._root = tree.root
        self._annotations = {
            "train": tree.file(
                *_devkit("cars_train_annos.mat"), archive=archive
            )
        }
        self._folders = {"train": _image_folder(tree, "cars_train")}
        self.splits = ("train",)
        test = tree.optional_file(_TEST_LABELS, f"devkit/{_TEST_LABELS}")
        if test is not None:
            self._annotations["eval"] = test
            self._folders["eval"] = _image_folder(tree, "cars_test")
            self.splits = ("train", "eval")

    def class_names(self) -> list[str]:
        return _class_names(self._meta)

    def folder_name(self, split: str) -> str:
        return f"cars_{_OFFICIAL_SPLITS[split]}"

    def records(self, split: str) -> Iterator[tuple[Path, MatValue]]:
        if split not in self._annotations:
            raise MissingDataError(
                f"The eval split needs the file {_TEST_LABELS}, a separate "
                f"download beside the devkit. Received: {self._root}"
            )
        (annotations,) = read_mat(self._annotations[split], "annotations")
        for record in annotations.structs():
            name = _file_name(record.field("fname"), prefix="")
            yield self._folders[split] / name, record


class _Combined(_Packaging):
    """`car_ims` with the images of both splits, `cars_annos.mat`."""

    def __init__(self, tree: Tree):
        self._annotations = tree.file(
            *_devkit("cars_annos.mat"), archive="cars_annos.mat"
        )
        self._images = _image_folder(tree, "car_ims")

    def class_names(self) -> list[str]:
        return _class_names(self._annotations)

    def folder_name(self, split: str) -> str:
        return "car_ims"

    def records(self, split: str) -> Iterator[tuple[Path, MatValue]]:
        (annotations,) = read_mat(self._annotations, "annotations")
        for record in annotations.structs():
            if _is_test(record) == (split == "eval"):
                path = record.field("relative_im_path")
                yield self._images / _file_name(path, prefix="car_ims/"), record


def _devkit(name: str) -> tuple[str, str]:
    return f"devkit/{name}", name


def _image_folder(tree: Tree, name: str) -> Path:
    """The folder, or the one of the same name in it, as often re-packed."""
    return tree.folder(f"{name}/{name}", name, archive=f"{name}.tgz")


def _class_names(path: Path) -> list[str]:
    (names,) = read_mat(path, "class_names")
    return names.texts()


def _file_name(value: MatValue, *, prefix: str) -> str:
    text = value.text()
    name = text.removeprefix(prefix)
    if not text.startswith(prefix) or not _FILE_NAME.fullmatch(name):
        raise value.error(
            f"An image must be {prefix}<name>.jpg. Received: {text[:80]!r}"
        )
    return name


def _is_test(record: MatValue) -> bool:
    value = record.field("test")
    flag = value.integer()
    if flag not in (0, 1):
        raise value.error(f"The flag must be 0 or 1. Received: {flag}")
    return flag == 1


def _car(record: MatValue, class_names: list[str]) -> AnnotatedObject:
    value = record.field("class")
    label = value.integer()
    if not 1 <= label <= len(class_names):
        raise value.error(
            f"A class must be a number from 1 to {len(class_names)}. "
            f"Received: {label}"
        )
    # By name: the devkit's readme has the fields in another order.
    return AnnotatedObject(
        name=class_names[label - 1],
        label=label,
        xmin=record.field("bbox_x1").integer(),
        ymin=record.field("bbox_y1").integer(),
        xmax=record.field("bbox_x2").integer(),
        ymax=record.field("bbox_y2").integer(),
    )
