"""What a record says about its image, read with good will.

Records of other tools lack lists that ours have; what is absent counts as
unknown or unset. `rules.py` is the place that finds fault.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

from tfrecords_tools.label_map import LabelMapItem

_OBJECT = "image/object/"
_EDGES = tuple(f"{_OBJECT}bbox/{edge}" for edge in ("xmin", "ymin", "xmax"))
_EDGES += (f"{_OBJECT}bbox/ymax",)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SeenBox:
    """A box as stored: edges are fractions, in or out of the image.

    Args:
        name: class text, or what the label map or the label gives.
        label: None if the record has none and the label map no such name.
    """

    name: str
    label: int | None
    xmin: float
    ymin: float
    xmax: float
    ymax: float
    difficult: bool = False
    truncated: bool = False
    occluded: int = 0
    is_crowd: bool = False
    group_of: bool = False

    @property
    def edges(self) -> tuple[float, float, float, float]:
        """(xmin, ymin, xmax, ymax)."""
        return self.xmin, self.ymin, self.xmax, self.ymax

    @property
    def encloses_area(self) -> bool:
        """False also for edges that are no numbers."""
        finite = all(map(math.isfinite, self.edges))
        return finite and self.xmin < self.xmax and self.ymin < self.ymax

    @property
    def is_flagged(self) -> bool:
        return bool(
            self.difficult
            or self.truncated
            or self.occluded
            or self.is_crowd
            or self.group_of
        )


class ClassNames:
    """Names and ids of classes, as far as a label map is given."""

    def __init__(self, items: Sequence[LabelMapItem] = ()):
        self._by_id = {item.id: item.display_name for item in items}
        self._shown = {item.name: item.display_name for item in items}
        self._ids = {item.display_name: item.id for item in items}
        self._ids.update((item.name, item.id) for item in items)

    def complete(self, name: str, label: int | None) -> tuple[str, int | None]:
        """Fills in whichever of the two a record leaves out.

        A name becomes what people read: Open Images' are machine ids.
        """
        if label is None:
            label = self._ids.get(name)
        if not name:
            unknown = "no class" if label is None else f"class {label}"
            name = self._by_id.get(label or 0, unknown)
        return self._shown.get(name, name), label


def read_boxes(
    example: Mapping[str, Sequence[Any]], classes: ClassNames
) -> list[SeenBox]:
    """The record's boxes in their order.

    Raises: ValueError if lists of different lengths leave open which value
        belongs to which box, or hold another type of value.
    """
    count = len(example.get(_EDGES[0], ()))
    columns = {
        key.rpartition("/")[2]: _column(example, key, count, float)
        for key in _EDGES
    }
    for key in ("difficult", "truncated", "occluded", "is_crowd", "group_of"):
        flags = _column(example, _OBJECT + key, count, int, optional=True)
        columns[key] = flags or [0] * count
    names = _column(
        example, f"{_OBJECT}class/text", count, bytes, optional=True
    )
    labels = _column(
        example, f"{_OBJECT}class/label", count, int, optional=True
    )
    boxes = []
    for index in range(count):
        text = names[index].decode("utf-8", "replace") if names else ""
        label = labels[index] if labels else None
        name, label = classes.complete(text, label)
        values = {key: column[index] for key, column in columns.items()}
        boxes.append(SeenBox(name=name, label=label, **values))
    return boxes


def read_text(example: Mapping[str, Sequence[Any]], key: str) -> str:
    """The first value of a list of texts, or "" if there is none."""
    values = example.get(key, ())
    if not values or not isinstance(values[0], bytes):
        return ""
    return values[0].decode("utf-8", "replace")


def read_size(example: Mapping[str, Sequence[Any]]) -> tuple[int, int] | None:
    """(width, height) as stored; None if either is absent or unusable."""
    sides = []
    for key in ("image/width", "image/height"):
        values = example.get(key, ())
        if not values or not isinstance(values[0], int) or values[0] < 1:
            return None
        sides.append(values[0])
    return sides[0], sides[1]


def read_encoded(example: Mapping[str, Sequence[Any]]) -> bytes:
    """The image file's bytes, empty if the record has none."""
    values = example.get("image/encoded", ())
    return values[0] if values and isinstance(values[0], bytes) else b""


def _column(
    example: Mapping[str, Sequence[Any]],
    key: str,
    count: int,
    kind: type,
    *,
    optional: bool = False,
) -> list[Any]:
    """`count` values, or none if the list is optional and empty."""
    values = list(example.get(key, ()))
    if optional and not values:
        return []
    if len(values) != count:
        raise ValueError(
            f"Lists of objects must be equally long. Received: {len(values)} "
            f"in {key}, {count} in {_EDGES[0]}"
        )
    if not all(isinstance(value, kind) for value in values):
        raise ValueError(
            f"{key} must hold {kind.__name__} values. Received: {values[:3]}"
        )
    return values
