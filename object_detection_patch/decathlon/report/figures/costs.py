"""Time and memory of training, by method."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.report.contents import Figure, Table
from object_detection_patch.decathlon.report.figures import style, svg
from object_detection_patch.decathlon.report.tables import cells, costs

_SECONDS = ("train, s", "All, s")
"""Columns of the table, the second where runs have no such phase."""
_MEMORY = "Memory, MiB"


def cost_figures(results: Results) -> Iterator[Figure]:
    """Seconds and memory of a run, as the table of costs has them."""
    table = costs.by_method(results)
    if table is None:
        return
    titles = [column.title for column in table.columns]
    measure = next(title for title in _SECONDS if title in titles)
    seconds, memory = _column(table, measure), _column(table, _MEMORY)
    looks = style.looks(results.suite.methods)
    what = "of training" if measure == _SECONDS[0] else "of a run"
    rows = [
        f"{method} {seconds[method]:,.1f} s and {memory[method]:,.0f} MiB"
        for method in seconds
    ]
    yield svg.figure_of(
        "cost",
        "Time and memory by method",
        f"Median seconds {what} and greatest memory of a process. "
        f"{'; '.join(rows)}.",
        lambda: _draw(seconds, memory, what, looks),
    )


def _column(table: Table, title: str) -> dict[str, float]:
    """First cell of each row -> its number in a column."""
    index = [column.title for column in table.columns].index(title)
    return {
        str(row[0]): value
        for row in table.rows
        if (value := cells.number(row[index])) is not None
    }


def _draw(
    seconds: Mapping[str, float],
    memory: Mapping[str, float],
    what: str,
    looks: Mapping[str, style.Look],
) -> Drawing:
    figure = style.new_figure(0.9 + 0.26 * len(seconds))
    left, right = figure.subplots(1, 2, sharey=True)
    for axis, values, title in (
        (left, seconds, f"seconds {what}"),
        (right, memory, "MiB of memory"),
    ):
        axis.set_title(title)
        _draw_bars(axis, values, [looks[method].colour for method in values])
    left.set_yticks(range(len(seconds)), labels=map(svg.label, seconds))
    left.set_ylim(len(seconds) - 0.5, -0.5)
    return figure


def _draw_bars(
    axis: Axes, values: Mapping[str, float], colours: list[str]
) -> None:
    axis.barh(
        range(len(values)),
        list(values.values()),
        height=0.62,
        color=colours,
    )
    for row, value in enumerate(values.values()):
        style.write(axis, f"{value:,.0f}", (value, row), (3, 0))
    axis.set_xlim(0, 1.3 * max(values.values(), default=1.0) or 1.0)
    axis.set_xticks([])
    axis.tick_params(length=0)
    axis.grid(False)
    axis.spines["bottom"].set_visible(False)
