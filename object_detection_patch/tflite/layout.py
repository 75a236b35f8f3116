"""Where the vectors of a model lie (FORMAT.md, The layout)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from object_detection_patch.tflite.sidecar import Sidecar, Vector

_ALIGNMENT = 16
COUNT_BYTES = 4


@dataclasses.dataclass(frozen=True)
class Place:
    """Bytes of a vector's items in the file, from `start` to `end`.

    The u32 number of items stands right before `start`.
    """

    start: int
    end: int

    @property
    def count_position(self) -> int:
        return self.start - COUNT_BYTES


def place_after(at: int, vector: Vector) -> Place:
    """The place of a vector when everything before it ends at `at`."""
    start = -(-(at + COUNT_BYTES) // _ALIGNMENT) * _ALIGNMENT
    return Place(start, start + vector.item_bytes * vector.items)


def base_places(sidecar: Sidecar) -> list[Place]:
    """Where each vector lies in base.tflite."""
    places: list[Place] = []
    at = sidecar.skeleton_bytes
    for vector in sidecar.vectors:
        if vector.shared and vector.leader is not None:
            places.append(places[vector.leader])
            continue
        places.append(place_after(at, vector))
        at = places[-1].end
    return places


def most_bytes(skeleton_bytes: int, vectors: Sequence[Vector]) -> int:
    """Bytes of skeleton and vectors if no two of them share a place."""
    at = skeleton_bytes
    for vector in vectors:
        at = place_after(at, vector).end
    return at
