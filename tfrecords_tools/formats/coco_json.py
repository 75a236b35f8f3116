"""COCO's instances files: images, boxes and classes in one JSON object."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from tfrecords_tools.formats.coco_boxes import BoxColumns, CocoBox
from tfrecords_tools.formats.json_record import MAX_INTEGER, JsonRecord
from tfrecords_tools.formats.json_stream import json_records
from tfrecords_tools.label_map import MAX_ID

_SECTIONS = {
    "images": frozenset(("id", "file_name", "width", "height", "level")),
    "annotations": BoxColumns.KEYS,
    "categories": frozenset(("id", "name")),
}


@dataclasses.dataclass(frozen=True, slots=True)
class CocoImage:
    """`file_name` is a bare name; `level`, of RPC only, is "" elsewhere."""

    id: int
    file_name: str
    width: int
    height: int
    level: str


@dataclasses.dataclass(frozen=True, slots=True)
class CocoCategory:
    """A class; ids start at 1."""

    id: int
    name: str


class CocoInstances:
    """An instances file.

    Unknown keys are ignored. Ids and file names are unique, and every box
    belongs to a known image and class.

    Attributes:
        images: in the order of the file.
        categories: by id.
    Raises: ParseError naming file and record.
    """

    def __init__(self, path: Path):
        self.path = path
        self.images: list[CocoImage] = []
        self.categories: list[CocoCategory] = []
        self._boxes = BoxColumns()
        take = {
            "images": self._take_image,
            "categories": self._take_category,
            "annotations": self._boxes.take,
        }
        self._seen: dict[tuple[str, int | str], int] = {}
        for record in json_records(path, _SECTIONS):
            take[record.section](record)
        del self._seen
        self.categories.sort(key=lambda category: category.id)
        self._boxes.finish(
            path,
            images=[image.id for image in self.images],
            categories=[category.id for category in self.categories],
        )

    def boxes(self, image: CocoImage) -> Iterator[CocoBox]:
        """Boxes of the image, in the order of the file."""
        return self._boxes.of_image(image.id)

    def _take_image(self, record: JsonRecord) -> None:
        image = CocoImage(
            id=record.integer("id", minimum=0, maximum=MAX_INTEGER),
            file_name=_bare_name(record),
            width=record.integer("width", minimum=1, maximum=MAX_ID),
            height=record.integer("height", minimum=1, maximum=MAX_ID),
            level=record.text("level") if "level" in record.values else "",
        )
        self._check_new(record, "id", image.id)
        self._check_new(record, "file_name", image.file_name)
        self.images.append(image)

    def _take_category(self, record: JsonRecord) -> None:
        category = CocoCategory(
            id=record.integer("id", minimum=1, maximum=MAX_ID),
            name=record.text("name"),
        )
        self._check_new(record, "id", category.id)
        self._check_new(record, "name", category.name)
        self.categories.append(category)

    def _check_new(
        self, record: JsonRecord, key: str, value: int | str
    ) -> None:
        place = f"{record.section}.{key}", value
        if place in self._seen:
            record.fail(
                f"`{key}` must be unique. Received: {value!r} as in "
                f"{record.section}[{self._seen[place]}]"
            )
        self._seen[place] = record.index


def _bare_name(record: JsonRecord) -> str:
    """`file_name`, which must not lead out of the folder of images."""
    name = record.text("file_name")
    if name in (".", "..") or "\\" in name or PurePosixPath(name).name != name:
        record.fail(
            f"`file_name` must be a name without folders. Received: {name!r}"
        )
    return name
