"""What must hold for the lists of a record that have one value per object."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tfrecords_tools.label_map import LabelMapItem
from tfrecords_tools.look.faults import describe_kind, fault, is_utf8
from tfrecords_tools.reader import Column

_PREFIX = "image/object/"
_EDGES = ("bbox/xmin", "bbox/ymin", "bbox/xmax", "bbox/ymax")
_REQUIRED = {
    **dict.fromkeys(_EDGES, "float"),
    "class/text": "bytes",
    "class/label": "int64",
    "difficult": "int64",
}
_FLAGS = ("difficult", "truncated", "is_crowd", "group_of", "depiction")
_OPTIONAL = {
    **dict.fromkeys(_FLAGS[1:], "int64"),
    "occluded": "int64",
    "area": "float",
    "weight": "float",
    "view": "bytes",
}
# Lists with several values per object.
_FREE = ("mask", "keypoint/", "densepose/")


class ObjectRules:
    """The rules, with the classes of one label map."""

    def __init__(self, label_map: Sequence[LabelMapItem]):
        self._known_ids = {item.id for item in label_map}
        # The OD API looks a text up among both kinds of names.
        self._ids = {item.display_name: item.id for item in label_map}
        self._ids.update((item.name, item.id) for item in label_map)

    def find_faults(self, columns: Mapping[str, Column]) -> Iterator[str]:
        """One sentence per broken rule, about the first object breaking it.

        Values are judged where all lists have their kind and length.
        """
        objects = {
            key.removeprefix(_PREFIX): column
            for key, column in columns.items()
            if key.startswith(_PREFIX)
        }
        faults = [*_find_kind_faults(objects), *_find_length_faults(objects)]
        yield from faults
        if not faults:
            values = {key: column.values for key, column in objects.items()}
            yield from _find_edge_faults(values)
            yield from _find_value_faults(values)
            yield from self._find_class_faults(values)

    def _find_class_faults(
        self, values: Mapping[str, list[Any]]
    ) -> Iterator[str]:
        pairs = zip(values["class/text"], values["class/label"], strict=True)
        yield from _first(pairs, self._judge_class)

    def _judge_class(self, pair: tuple[bytes, int]) -> str | None:
        text, label = pair
        if not is_utf8(text):
            return fault("class/text must be UTF-8", text)
        name = text.decode("utf-8")
        if name not in self._ids:
            return fault("class/text must be a name of the label map", name)
        if label not in self._known_ids:
            return fault("class/label must be an id of the label map", label)
        if label != self._ids[name]:
            return fault(
                f"class/label must be the label map's id of {name!r}, "
                f"{self._ids[name]}",
                label,
            )
        return None


def count_boxes(columns: Mapping[str, Column]) -> int:
    """Number of objects, by the first list of edges."""
    column = columns.get(_PREFIX + _EDGES[0])
    return len(column.values) if column else 0


def _find_kind_faults(objects: Mapping[str, Column]) -> Iterator[str]:
    for key in _REQUIRED:
        if key not in objects:
            yield (
                f"A record must have {_PREFIX}{key}, be it empty. "
                f"Received: none"
            )
    for key, kind in (_REQUIRED | _OPTIONAL).items():
        column = objects.get(key, Column("", []))
        if column.kind not in (kind, ""):
            yield (
                f"{_PREFIX}{key} must hold {kind} values. Received: "
                f"{describe_kind(column)}"
            )


def _find_length_faults(objects: Mapping[str, Column]) -> Iterator[str]:
    count = len(objects.get(_EDGES[0], Column("", [])).values)
    for key, column in objects.items():
        if key.startswith(_FREE):
            continue
        if len(column.values) != count:
            yield (
                f"{_PREFIX}{key} must be as long as {_PREFIX}{_EDGES[0]}, "
                f"{count}. Received: {len(column.values)}"
            )


def _find_edge_faults(values: Mapping[str, list[Any]]) -> Iterator[str]:
    edges = zip(*(values[key] for key in _EDGES), strict=True)
    yield from _first(edges, _judge_edges)


def _judge_edges(edges: tuple[float, float, float, float]) -> str | None:
    # Values were rounded to float32 when they were stored.
    xmin, ymin, xmax, ymax = edges
    if not all(0 <= edge <= 1 for edge in edges):
        rule = "edges must be finite and lie in [0, 1]"
    elif not (xmin < xmax and ymin < ymax):
        rule = "xmin < xmax and ymin < ymax must hold"
    else:
        return None
    return f"{rule}. Received (xmin, ymin, xmax, ymax): {_as_text(edges)}"


def _find_value_faults(values: Mapping[str, list[Any]]) -> Iterator[str]:
    rules: dict[str, tuple[str, Callable[[Any], bool]]] = {
        **dict.fromkeys(_FLAGS, ("0 or 1", lambda flag: flag in (0, 1))),
        "occluded": ("0 or more", lambda degree: degree >= 0),
        "area": (
            "finite and 0 or more",
            lambda area: math.isfinite(area) and area >= 0,
        ),
        "weight": (
            "finite and 0 or more",
            lambda weight: math.isfinite(weight) and weight >= 0,
        ),
        "view": ("UTF-8", is_utf8),
    }
    for key, (rule, accepts) in rules.items():
        for number, value in enumerate(values.get(key, ()), 1):
            if not accepts(value):
                yield fault(f"object {number}: {key} must be {rule}", value)
                break


def _first(
    objects: Iterator[Any],
    judge: Callable[[Any], str | None],
) -> Iterator[str]:
    """The fault of the first object that has one, with its number from 1."""
    for number, item in enumerate(objects, 1):
        problem = judge(item)
        if problem:
            yield f"object {number}: {problem}"
            return


def _as_text(edges: Sequence[float]) -> str:
    return "(" + ", ".join(f"{edge:.9g}" for edge in edges) + ")"
