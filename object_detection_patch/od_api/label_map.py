"""Reads a label map and refuses one that would shift or merge classes."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Sequence
from typing import Any

from object_detection_patch.od_api import compat


def read_label_map(path: str) -> list[tuple[int, str, str]]:
    """(id, name, display name) of every class, by id.

    Raises:
      ValueError: for a missing or malformed file, a duplicate id or name, or
        an id below 1.
    """
    compat.enable()
    import tensorflow as tf
    from google.protobuf import text_format
    from object_detection.protos import string_int_label_map_pb2

    refuse_missing(path)
    label_map = string_int_label_map_pb2.StringIntLabelMap()
    with tf.io.gfile.GFile(path) as file:
        try:
            text_format.Merge(file.read(), label_map)
        except text_format.ParseError as error:
            raise ValueError(
                "A label map must hold `item { id: 1 name: '...' }` entries. "
                f"Received: {path}: {error}."
            ) from error
    items = sorted(
        (item.id, item.name, item.display_name or item.name)
        for item in label_map.item
    )
    _check(items, path)
    return items


def refuse_missing(path: str) -> None:
    """Raises ValueError unless a reader's `label_map_path` names a file."""
    import tensorflow as tf

    if not path or not tf.io.gfile.exists(path):
        raise ValueError(
            "`label_map_path` must name a label map (input_reader, "
            f"pipeline.config). Received: {path!r}, which does not exist."
        )


def common_label_map(pipeline: Any) -> tuple[list[tuple[int, str, str]], str]:
    """The label map of a pipeline's readers, and one path to it.

    Readers without a path are passed over.

    Raises:
      ValueError: if no reader has a label map or two read different ones,
        and as `read_label_map`.
    """
    readers = [*pipeline.eval_input_reader, pipeline.train_input_reader]
    paths = list(
        dict.fromkeys(
            reader.label_map_path for reader in readers if reader.label_map_path
        )
    )
    if not paths:
        raise ValueError(
            "A patch ships its label map; set `label_map_path` in "
            "`eval_input_reader` and `train_input_reader` (pipeline.config). "
            "Received: none."
        )
    items = read_label_map(paths[0])
    for path in paths[1:]:
        if read_label_map(path) != items:
            raise ValueError(
                "All readers must have one label map, or classes change "
                "their names between training and evaluation "
                f"(pipeline.config). Received: {paths[0]} and {path}, which "
                "differ."
            )
    return items, paths[0]


def label_map_text(items: Iterable[tuple[int, str, str]]) -> str:
    """The text of a label map file of (id, name, display name) items."""
    compat.enable()
    from google.protobuf import text_format
    from object_detection.protos import string_int_label_map_pb2

    label_map = string_int_label_map_pb2.StringIntLabelMap()
    for number, name, display_name in items:
        label_map.item.add(id=number, name=name, display_name=display_name)
    return text_format.MessageToString(label_map, as_utf8=True)


def num_classes_of(items: Sequence[tuple[int, str, str]]) -> int:
    """The `num_classes` that a model needs for the map: its greatest id.

    Ids may have gaps, as COCO's have; their outputs are never trained.
    """
    return max(number for number, _, _ in items)


def check_num_classes(
    items: list[tuple[int, str, str]], num_classes: int, path: str
) -> None:
    """Raises ValueError unless a model of `num_classes` fits the label map.

    A greater label would be an all-zero row without an error.
    """
    needed = num_classes_of(items)
    if needed != num_classes:
        raise ValueError(
            "`model.ssd.num_classes` must equal the greatest id of the label "
            f"map (pipeline.config). Received: num_classes {num_classes}, but "
            f"id {needed} in {path}."
        )


def _check(items: list[tuple[int, Any, Any]], path: str) -> None:
    if not items:
        raise ValueError(
            f"A label map needs at least one item. Received: {path}, empty."
        )
    for what, values in (
        ("id", [item[0] for item in items]),
        ("name", [item[1] for item in items]),
    ):
        value, count = collections.Counter(values).most_common(1)[0]
        if count > 1:
            raise ValueError(
                f"Each {what} may stand once in a label map. Received: "
                f"{what} {value!r} {count} times in {path}."
            )
    ids = [item[0] for item in items]
    if ids[0] < 1:
        raise ValueError(
            "Label map ids start at 1; 0 is the background. Received: id "
            f"{ids[0]} in {path}."
        )
