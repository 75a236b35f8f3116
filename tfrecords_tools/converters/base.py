"""The questions that every converter answers.

To add a dataset: one file beside this one with one subclass of `Converter`.
The registry finds it; nothing else needs to know.
"""

import abc
import argparse
import collections
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from tfrecords_tools.label_map import LabelMapItem
from tfrecords_tools.record import AnnotatedImage

SPLITS = ("train", "eval")


class Converter(abc.ABC):
    """Annotations on disk to a stream of records, and nothing else.

    It opens annotation files only: images are read by `prepare.py`, and only
    `AnnotatedImage.path` says where they are. Making one looks at the tree
    and raises `MissingDataError` for what is not there.

    Args:
        data_dir: the dataset as its authors' archives unpack it.
        options: values of the flags of `add_flags`.
    """

    key: ClassVar[str]
    """Short name: in file names, configs and on the command line."""
    title: ClassVar[str]
    expected_images: ClassVar[Mapping[str, int | None]]
    """Images by split, as Table 1 of SpotPatch has them; None: measured."""
    num_shards: ClassVar[Mapping[str, int]]
    """Files by split, unless the user says otherwise."""
    order: ClassVar[str]
    """Order of the images in the records, in plain words for the report."""
    object_columns: Mapping[str, type] = MappingProxyType({})
    """Further `image/object/<key>` features: int, float or str.

    Every object's `extra` has all of them.
    """
    image_columns: ClassVar[Mapping[str, type]] = MappingProxyType({})
    """Further `image/<key>` features; every image's `extra` has all."""
    may_lack_images: ClassVar[bool] = False
    """Whether absent image files are counted instead of refused."""
    optional_splits: ClassVar[tuple[str, ...]] = ()
    """Splits that nobody need have."""
    label_map_has_gaps: bool = False
    """Whether ids are left out on purpose, as COCO does."""

    def __init__(self, data_dir: Path, options: argparse.Namespace):
        self.data_dir = data_dir
        self.options = options
        self.left_out_images: collections.Counter[str] = collections.Counter()
        """Annotated images that do not belong to the split, by reason."""
        self.left_out_boxes: collections.Counter[str] = collections.Counter()
        """Their boxes, by reason."""

    @classmethod
    def add_flags(cls, parser: argparse.ArgumentParser) -> None:
        """Adds the dataset's own flags, if it has any."""
        del parser

    @property
    def splits(self) -> tuple[str, ...]:
        """Splits that the tree on disk has the annotations for."""
        return SPLITS

    @abc.abstractmethod
    def label_map(self) -> list[LabelMapItem]:
        """Classes by id; raises ParseError for a broken class list."""

    def check_split(self, split: str) -> None:
        """Looks whether the split can be read, before anything is written.

        Raises: MissingDataError naming what is not there; ParseError.
        """
        next(self.annotated_images(split), None)

    @abc.abstractmethod
    def annotated_images(self, split: str) -> Iterator[AnnotatedImage]:
        """Records in the order of `order`, read as the caller consumes them.

        Raises: ParseError naming file and line or record; MissingDataError.
        """

    def derived_ids(self, split: str) -> list[str] | None:
        """Ids of the split where a rule of ours chose them, else None."""
        return None

    def shard(self, image: AnnotatedImage, index: int, num_shards: int) -> int:
        """Shard of the image that comes at `index`; by turns by default."""
        return index % num_shards
