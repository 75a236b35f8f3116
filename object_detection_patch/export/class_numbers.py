"""Which numbers of a skeleton depend on the number of classes, and how."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from object_detection_patch.tflite.sidecar import ClassNumber


class StructureError(ValueError):
    """The converter built another graph for another number of classes."""


def find_class_numbers(
    skeleton: bytes,
    other: bytes,
    *,
    classes: int,
    other_classes: int,
    written: Iterable[int],
) -> tuple[ClassNumber, ...]:
    """The i32 of a skeleton that are factor * (classes + addend).

    Args:
      skeleton: of a model with `classes` classes.
      other: of the same model with `other_classes`.
      written: positions of 4 bytes each that are written anyway.

    Raises:
      StructureError: if the two differ in anything else.
    """
    if len(skeleton) != len(other):
        raise StructureError(
            "Models of one base must have the same structure for every number "
            f"of classes. Received: {len(skeleton)} bytes for {classes} "
            f"classes, {len(other)} for {other_classes}."
        )
    mine = np.frombuffer(skeleton, "<i4").astype(np.int64)
    others = np.frombuffer(other, "<i4").astype(np.int64)
    ignored = {position // 4 for position in written}
    return tuple(
        _class_number(
            4 * int(word),
            int(mine[word]),
            int(others[word]),
            classes,
            other_classes,
        )
        for word in np.flatnonzero(mine != others)
        if int(word) not in ignored
    )


def _class_number(
    position: int, value: int, other_value: int, classes: int, others: int
) -> ClassNumber:
    factor, rest = divmod(other_value - value, others - classes)
    if factor < 1 or rest or value % factor or value // factor < classes:
        raise StructureError(
            "A number that changes with the classes must be a multiple of "
            f"their number and a constant. Received: {value} for {classes} "
            f"classes, {other_value} for {others}, at byte {position}."
        )
    return ClassNumber(position, factor, value // factor - classes)
