"""The boxes of a COCO file, kept small and found by image."""

import dataclasses
from array import array
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tfrecords_tools.errors import ParseError
from tfrecords_tools.formats.json_record import MAX_INTEGER, JsonRecord
from tfrecords_tools.label_map import LabelMapItem
from tfrecords_tools.record import AnnotatedObject

_MAX_PIXELS = 1e9
_MAX_AREA = 1e18


@dataclasses.dataclass(frozen=True, slots=True)
class CocoBox:
    """Edges and sides in continuous pixels; area is the outline's."""

    category_id: int
    x: float
    y: float
    width: float
    height: float
    area: float
    is_crowd: bool


class BoxColumns:
    """All boxes of a file in a few arrays: about 70 bytes a box."""

    KEYS = frozenset(
        ("id", "image_id", "category_id", "bbox", "area", "iscrowd")
    )
    """What is read of a record of `annotations`."""

    def __init__(self) -> None:
        self._ids = array("q")
        self._image_ids = array("q")
        self._category_ids = array("q")
        self._crowds = array("b")
        self._numbers = array("d")  # x, y, width, height, area of each box.
        self._order = np.empty(0, np.int64)
        self._sorted_images = np.empty(0, np.int64)

    def take(self, record: JsonRecord) -> None:
        """Adds one record of `annotations`."""
        for column, key in (
            (self._ids, "id"),
            (self._image_ids, "image_id"),
            (self._category_ids, "category_id"),
        ):
            value = record.integer(key, minimum=0, maximum=MAX_INTEGER)
            column.append(value)
        self._crowds.append(record.integer("iscrowd", minimum=0, maximum=1))
        self._numbers.extend(record.numbers("bbox", 4, _MAX_PIXELS))
        self._numbers.append(record.number("area", _MAX_AREA))

    def finish(
        self, path: Path, *, images: list[int], categories: list[int]
    ) -> None:
        """Checks the ids, then sorts by image.

        Raises: ParseError naming the first box whose ids are wrong.
        """
        ids = np.asarray(self._ids)
        self._check_unique(path, ids)
        image_ids = np.asarray(self._image_ids)
        _check_known(path, "image_id", image_ids, images)
        category_ids = np.asarray(self._category_ids)
        _check_known(path, "category_id", category_ids, categories)
        self._order = np.argsort(image_ids, kind="stable")
        self._sorted_images = image_ids[self._order]

    def of_image(self, image_id: int) -> Iterator[CocoBox]:
        """Boxes of the image, in the order of the file."""
        first = np.searchsorted(self._sorted_images, image_id, "left")
        last = np.searchsorted(self._sorted_images, image_id, "right")
        for index in self._order[first:last].tolist():
            x, y, width, height, area = self._numbers[5 * index : 5 * index + 5]
            yield CocoBox(
                category_id=self._category_ids[index],
                x=x,
                y=y,
                width=width,
                height=height,
                area=area,
                is_crowd=bool(self._crowds[index]),
            )

    def _check_unique(self, path: Path, ids: np.ndarray) -> None:
        order = np.argsort(ids, kind="stable")
        repeats = order[1:][np.diff(ids[order]) == 0]
        if repeats.size:
            index = int(repeats.min())
            raise ParseError(
                path,
                f"annotations[{index}]",
                f"`id` must be unique. Received twice: {ids[index]}",
            )


def _check_known(
    path: Path, key: str, values: np.ndarray, known: list[int]
) -> None:
    unknown = np.flatnonzero(~np.isin(values, np.array(known, np.int64)))
    if unknown.size:
        index = int(unknown[0])
        raise ParseError(
            path,
            f"annotations[{index}]",
            f"`{key}` must be the id of a record in the same file. "
            f"Received: {values[index]}",
        )


def annotated_object(
    box: CocoBox, item: LabelMapItem, *, difficult: bool = False
) -> AnnotatedObject:
    """The box with the class that `item` gives to its category."""
    return AnnotatedObject(
        name=item.name,
        label=item.id,
        xmin=box.x,
        ymin=box.y,
        xmax=box.x + box.width,
        ymax=box.y + box.height,
        area=box.area,
        difficult=difficult,
        is_crowd=box.is_crowd,
    )
