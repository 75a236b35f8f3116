"""Which kernels a gated method patches, by task (SpotPatch, Figure 6)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.report.contents import Figure
from object_detection_patch.decathlon.report.figures import places, style, svg
from object_detection_patch.decathlon.report.figures.gates import (
    Gates,
    gates_of,
)

_GAP = 0.08
_HALF_HEIGHT = 0.36


def layer_figures(results: Results) -> Iterator[Figure]:
    """Figure 6, and the same counted by place."""
    gates = gates_of(results)
    if gates is None:
        return
    colour = style.looks(results.suite.methods)[gates.method].colour
    yield svg.figure_of(
        "patched_layers",
        f"Kernels that {gates.method} patches, by task (the paper's Figure 6)",
        _in_words(gates),
        lambda: _draw(gates, colour),
    )
    yield svg.figure_of(
        "gates_by_place",
        f"Kernels that {gates.method} patches, by place in the network",
        places.in_words(gates),
        lambda: places.draw(gates, colour),
    )


def _in_words(gates: Gates) -> str:
    rows = []
    for task in gates.tasks:
        opened, total = gates.counts(task)
        rows.append(f"{task} {opened} of {total} ({opened / total:.1%})")
    return (
        f"A row for each task, a column for each of {len(gates.kernels)} "
        f"kernels in order of the network; filled where {gates.method} "
        f"patches the kernel. Patched kernels: {'; '.join(rows)}."
    )


def _draw(gates: Gates, colour: str) -> Drawing:
    figure = style.new_figure(1.0 + 0.26 * len(gates.tasks))
    axis = figure.subplots()
    _draw_places(axis, gates)
    position = {kernel: i for i, kernel in enumerate(gates.kernels)}
    for row, listed in enumerate(gates.tasks.values()):
        opened = [position[g.place, g.name] for g in listed if g.open]
        axis.axhline(row, color=style.GRID, linewidth=0.6, zorder=0)
        _fill(axis, opened, row, colour)
        style.write(
            axis,
            f"{len(opened) / len(listed):.0%}",
            (len(position), row),
            (4, 0),
        )
    style.name_rows(axis, [svg.label(task) for task in gates.tasks])
    axis.set_xlim(0, len(position))
    axis.set_xlabel("kernels from input to heads; filled: patched")
    return figure


def _draw_places(axis: Axes, gates: Gates) -> None:
    """A shade behind every second place, and the names of all."""
    spans = {}
    for place in gates.places:
        columns = [i for i, k in enumerate(gates.kernels) if k[0] == place]
        spans[place] = (columns[0], columns[-1] + 1)
    for start, end in list(spans.values())[1::2]:
        axis.axvspan(
            start, end, color=style.GRID, alpha=0.5, linewidth=0, zorder=0
        )
    axis.set_xticks(
        [(start + end) / 2 for start, end in spans.values()],
        labels=map(svg.label, spans),
    )


def _fill(axis: Axes, columns: Sequence[int], row: int, colour: str) -> None:
    """The cells of a row as one shape, a few bytes each."""
    if not columns:
        return
    low, high = row - _HALF_HEIGHT, row + _HALF_HEIGHT
    cells = []
    for column in columns:
        left, right = column + _GAP, column + 1 - _GAP
        corners = [(left, low), (right, low), (right, high), (left, high)]
        cells.append(Path([*corners, corners[0]], closed=True))
    shape = Path.make_compound_path(*cells)
    axis.add_patch(PathPatch(shape, facecolor=colour, linewidth=0))
