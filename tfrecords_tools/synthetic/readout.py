"""What a buffer of owners says about the objects of a picture."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from tfrecords_tools.synthetic.native.base import NativeObject


class Drawn(Protocol):
    """What must be known of an object beside its pixels."""

    @property
    def name(self) -> str: ...

    @property
    def area(self) -> int: ...

    @property
    def is_cut(self) -> bool: ...

    @property
    def flags(self) -> dict[str, float | str]: ...


def read(
    drawn: Sequence[Drawn],
    *,
    fine_counts: Sequence[int],
    owners: np.ndarray,
    min_visible: float,
    min_pixels: int,
) -> tuple[tuple[NativeObject, ...], np.ndarray]:
    """The objects that are visible enough, and owners of those alone.

    Args:
        drawn: all that was painted, in that order.
        fine_counts: fine pixels by owner; i + 1 stands for drawn[i].
        owners: (height, width) uint8, one a pixel of the picture.
        min_visible: least share of an object's own area.
        min_pixels: least count of pixels in `owners`.
    Returns: objects, and owners with i + 1 for objects[i].
    """
    counts = np.bincount(owners.ravel(), minlength=len(drawn) + 1)
    new_owner = np.zeros(256, dtype=np.uint8)
    objects: list[NativeObject] = []
    for number, item in enumerate(drawn, start=1):
        visible = fine_counts[number] / item.area
        if visible < min_visible or counts[number] < min_pixels:
            continue
        objects.append(_object(item, owners == number, visible))
        new_owner[number] = len(objects)
    return tuple(objects), new_owner[owners]


def _object(item: Drawn, mask: np.ndarray, visible: float) -> NativeObject:
    columns = np.flatnonzero(mask.any(axis=0))
    rows = np.flatnonzero(mask.any(axis=1))
    return NativeObject(
        name=item.name,
        xmin=int(columns[0]),
        ymin=int(rows[0]),
        xmax=int(columns[-1]) + 1,
        ymax=int(rows[-1]) + 1,
        outline=hull(mask),
        visible=visible,
        truncated=item.is_cut,
        flags=dict(item.flags),
    )


def hull(mask: np.ndarray) -> tuple[tuple[float, float], ...]:
    """Corners of the smallest convex polygon around the pixels of a mask.

    Pixels are unit squares; the corners run clockwise as seen.
    """
    rows = np.flatnonzero(mask.any(axis=1))
    first = mask[rows].argmax(axis=1)
    last = mask.shape[1] - mask[rows, ::-1].argmax(axis=1)
    left, right = _chain(first, rows), _chain(-last, rows)
    down = [(float(-x), float(y)) for x, y in right]
    up = [(float(x), float(y)) for x, y in reversed(left)]
    return (*down, *up)


def _chain(edges: np.ndarray, rows: np.ndarray) -> list[tuple[int, int]]:
    """The side of a hull towards small x, from the first row's top down.

    Args:
        edges: least x of each row.
        rows: ascending; row r spans y from r to r + 1.
    """
    pairs = list(zip(edges.tolist(), rows.tolist(), strict=True))
    corners = [(x, y + down) for x, y in pairs for down in (0, 1)]
    chain: list[tuple[int, int]] = []
    for corner in corners:
        while chain and _is_within(chain, corner):
            chain.pop()
        chain.append(corner)
    return chain


def _is_within(chain: list[tuple[int, int]], corner: tuple[int, int]) -> bool:
    """Whether the last of the chain is no corner once `corner` follows."""
    x, y = chain[-1]
    if y == corner[1]:
        return x >= corner[0]
    if len(chain) == 1:
        return False
    x0, y0 = chain[-2]
    return (x - x0) * (corner[1] - y0) >= (corner[0] - x0) * (y - y0)
