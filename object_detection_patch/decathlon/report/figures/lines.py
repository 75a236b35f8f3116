"""Rows of a table as lines over some of its columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes

from object_detection_patch.decathlon.report.contents import Table
from object_detection_patch.decathlon.report.figures import svg
from object_detection_patch.decathlon.report.tables import cells

Line = Mapping[str, float]
"""Tick -> value; ticks without a number are left out."""

_PERCENT = 100


def lines_of(table: Table, columns: Mapping[int, str]) -> dict[str, Line]:
    """First cell of a row -> its numbers, shares as percent.

    Args:
      columns: index -> the tick that it stands over.
    Returns:
      Only rows with a number.
    """
    scale = {
        index: _PERCENT if table.columns[index].style == "percent" else 1
        for index in columns
    }
    found: dict[str, Line] = {}
    for row in table.rows:
        line = {
            tick: scale[index] * value
            for index, tick in columns.items()
            if (value := cells.number(row[index])) is not None
        }
        if line:
            found[str(row[0])] = line
    return found


def in_words(lines: Mapping[str, Line]) -> str:
    """Every number of the lines."""
    rows = []
    for name, line in lines.items():
        values = [f"{value:.2f} at {tick}" for tick, value in line.items()]
        rows.append(f"{name}: {', '.join(values)}")
    return "; ".join(rows)


def plot(axis: Axes, ticks: Sequence[str], line: Line, **options: Any) -> None:
    """A line over equidistant ticks."""
    positions = [ticks.index(tick) for tick in line]
    axis.plot(positions, list(line.values()), **options)


def name_ticks(axis: Axes, ticks: Sequence[str]) -> None:
    """Writes the ticks below the axes."""
    axis.set_xticks(range(len(ticks)), labels=map(svg.label, ticks))
    axis.set_xlim(-0.3, len(ticks) - 0.7)
