"""WIDER FACE: one text file a split, a block of lines an image.

    0--Parade/0_Parade_marchingband_1_849.jpg
    1
    449 330 122 149 0 0 0 0 0 0

The numbers are x1 y1 w h blur expression illumination invalid occlusion pose.
A block of no faces has one row all the same, of ten zeros: whoever reads as
many rows as the count says goes out of step there.
"""

import argparse
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import ClassVar

from tfrecords_tools.converters.base import SPLITS, Converter
from tfrecords_tools.errors import ParseError
from tfrecords_tools.formats.text import numbered_lines
from tfrecords_tools.label_map import LabelMapItem
from tfrecords_tools.record import AnnotatedImage, AnnotatedObject
from tfrecords_tools.tree import Tree

_FOLDERS = {"train": "train", "eval": "val"}
_IMAGE_EXTENSIONS = (".jpg", ".jpeg", ".png")
_COUNT = re.compile(r"[0-9]{1,7}", re.ASCII)
_ROW = re.compile(r"-?[0-9]{1,9}(?: +-?[0-9]{1,9}){9}", re.ASCII)

_Lines = Iterator[tuple[int, str]]


class FaceConverter(Converter):
    """One class; faces marked as invalid become difficult.

    Evaluators ignore difficult objects, as the official evaluation ignores
    invalid faces.
    """

    key = "face"
    title = "WIDER FACE"
    expected_images: ClassVar[Mapping[str, int | None]] = MappingProxyType(
        {"train": 12880, "eval": 3226}
    )
    num_shards: ClassVar[Mapping[str, int]] = MappingProxyType(
        {"train": 10, "eval": 10}
    )
    order = "official annotation files"
    object_columns: Mapping[str, type] = MappingProxyType({"blur": int})

    def __init__(self, data_dir: Path, options: argparse.Namespace):
        super().__init__(data_dir, options)
        self._tree = Tree(data_dir)
        if not self.splits:
            self._image_folder("train")

    @classmethod
    def add_flags(cls, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--drop_invalid",
            action="store_true",
            help="leave faces marked as invalid out of the training split",
        )

    @property
    def splits(self) -> tuple[str, ...]:
        return tuple(
            split
            for split in SPLITS
            if self._tree.optional_folder(_image_folder(split))
        )

    def label_map(self) -> list[LabelMapItem]:
        return [LabelMapItem(1, "face", "face")]

    def annotated_images(self, split: str) -> Iterator[AnnotatedImage]:
        drop_invalid = split == "train" and self.options.drop_invalid
        folder = self._image_folder(split)
        for filename, faces in _blocks(self._text(split)):
            kept = [f for f in faces if not (drop_invalid and f.difficult)]
            num_dropped = len(faces) - len(kept)
            yield AnnotatedImage(
                path=folder / filename,
                filename=filename,
                source_id=PurePosixPath(filename).stem,
                objects=tuple(kept),
                dropped={"invalid": num_dropped} if num_dropped else {},
            )

    def _text(self, split: str) -> Path:
        name = f"wider_face_{_FOLDERS[split]}_bbx_gt.txt"
        return self._tree.file(
            f"wider_face_split/{name}", name, archive="wider_face_split.zip"
        )

    def _image_folder(self, split: str) -> Path:
        archive = f"WIDER_{_FOLDERS[split]}.zip"
        return self._tree.folder(_image_folder(split), archive=archive)


def _image_folder(split: str) -> str:
    return f"WIDER_{_FOLDERS[split]}/images"


def _blocks(path: Path) -> Iterator[tuple[str, list[AnnotatedObject]]]:
    """(file name, faces) of each block."""
    lines = numbered_lines(path)
    for number, line in lines:
        filename = _filename(path, number, line)
        count_number, text = _next_line(path, lines, number, "number of faces")
        count = _count(path, count_number, text)
        rows = [
            _row(path, *_next_line(path, lines, number, "row of every face"))
            for _ in range(max(count, 1))
        ]
        if count == 0 and any(rows[0][1]):
            raise ParseError(
                path,
                f"line {rows[0][0]}",
                f"The row of an image without faces must be ten zeros. "
                f"Received: {rows[0][1]}",
            )
        yield filename, [_face(path, *row) for row in rows[:count]]


def _next_line(
    path: Path, lines: _Lines, block: int, wanted: str
) -> tuple[int, str]:
    found = next(lines, None)
    if found is None:
        raise ParseError(
            path,
            f"block from line {block}",
            f"An image's block must hold the {wanted}. Received: the end of "
            f"the file",
        )
    return found


def _filename(path: Path, number: int, line: str) -> str:
    filename = line.strip()
    if not filename.lower().endswith(_IMAGE_EXTENSIONS):
        raise ParseError(
            path,
            f"line {number}",
            f"After the rows that a count announces there must be the name of "
            f"an image or the end of the file. Received: {line[:80]!r}",
        )
    parts = filename.split("/")
    if any(p in ("", ".", "..") for p in parts) or re.search(r"[\\:\0]", line):
        raise ParseError(
            path,
            f"line {number}",
            f"An image's name must be a path inside the folder of images. "
            f"Received: {line[:80]!r}",
        )
    return filename


def _count(path: Path, number: int, line: str) -> int:
    text = line.strip()
    if not _COUNT.fullmatch(text):
        raise ParseError(
            path,
            f"line {number}",
            f"The line after an image's name must be its number of faces. "
            f"Received: {line[:80]!r}",
        )
    return int(text)


def _row(path: Path, number: int, line: str) -> tuple[int, list[int]]:
    """(line number, the ten integers)."""
    text = line.strip()
    if not _ROW.fullmatch(text):
        raise ParseError(
            path,
            f"line {number}",
            f"A face's row must be ten integers with spaces between them. "
            f"Received: {line[:80]!r}",
        )
    return number, [int(value) for value in text.split()]


def _face(path: Path, number: int, row: list[int]) -> AnnotatedObject:
    x, y, width, height, blur, _, _, invalid, occlusion, _ = row
    for name, value, greatest in (
        ("blur", blur, 2),
        ("invalid", invalid, 1),
        ("occlusion", occlusion, 2),
    ):
        if not 0 <= value <= greatest:
            raise ParseError(
                path,
                f"line {number}",
                f"A face's {name} must lie between 0 and {greatest}. "
                f"Received: {value}",
            )
    return AnnotatedObject(
        name="face",
        label=1,
        xmin=x,
        ymin=y,
        xmax=x + width,
        ymax=y + height,
        difficult=invalid == 1,
        occluded=occlusion,
        extra={"blur": blur},
    )
