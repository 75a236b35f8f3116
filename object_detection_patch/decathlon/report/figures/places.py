"""How many kernels a task patches in each place of the network."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure as Drawing

from object_detection_patch.decathlon.report.figures import style, svg
from object_detection_patch.decathlon.report.figures.gates import Gates

_BAR = 0.55
"""Width of a full bar; its numbers stand in the rest of the column."""


def in_words(gates: Gates) -> str:
    """Every count of the figure."""
    rows = []
    for task in gates.tasks:
        counts = [
            f"{place} {opened} of {total}"
            for place in gates.places
            for opened, total in [gates.counts(task, place)]
        ]
        rows.append(f"{task}: {', '.join(counts)}")
    return f"Kernels that {gates.method} patches, by place. {'; '.join(rows)}."


def draw(gates: Gates, colour: str) -> Drawing:
    """A row of bars for each task, one for each place."""
    figure = style.new_figure(0.8 + 0.26 * len(gates.tasks))
    axis = figure.subplots()
    rows = range(len(gates.tasks))
    frame: dict[str, Any] = {"edgecolor": style.MUTED, "linewidth": 0.5}
    for column, place in enumerate(gates.places):
        counts = [gates.counts(task, place) for task in gates.tasks]
        shares = [_BAR * opened / max(all_, 1) for opened, all_ in counts]
        axis.barh(rows, shares, left=column, height=0.6, color=colour)
        axis.barh(rows, _BAR, left=column, height=0.6, fill=False, **frame)
        for row, (opened, total) in enumerate(counts):
            style.write(axis, f"{opened}/{total}", (column + _BAR, row), (3, 0))
    style.name_rows(axis, [svg.label(task) for task in gates.tasks])
    axis.set_xlim(0, len(gates.places))
    axis.set_xticks(
        [column + _BAR / 2 for column in range(len(gates.places))],
        labels=map(svg.label, gates.places),
    )
    axis.xaxis.tick_top()
    axis.tick_params(length=0)
    return figure
