"""Which cells of a table are shown as the best."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Literal

from object_detection_patch.decathlon.report.contents import Cell
from object_detection_patch.decathlon.report.tables.cells import number

Wanted = Literal["highest", "lowest"]


def best(
    rows: Sequence[Sequence[Cell]],
    wanted: Mapping[int, Wanted],
    *,
    apart: Collection[str] = (),
) -> frozenset[tuple[int, int]]:
    """(row, column) of the best numbers; none where all are equal.

    Args:
      wanted: column -> which end is good.
      apart: first cells of rows that do not compete.
    """
    competing = [index for index, row in enumerate(rows) if row[0] not in apart]
    found = set()
    for column, end in wanted.items():
        numbers = {row: number(rows[row][column]) for row in competing}
        known = {row: n for row, n in numbers.items() if n is not None}
        if len(set(known.values())) > 1:
            top = (max if end == "highest" else min)(known.values())
            found |= {(row, column) for row, n in known.items() if n == top}
    return frozenset(found)
