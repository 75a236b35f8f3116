"""mAP against memory, circles as large as operations (MobileTL, Figure 5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.report.contents import Figure
from object_detection_patch.decathlon.report.figures import panels, style, svg
from object_detection_patch.decathlon.report.tables import mobile_tl
from object_detection_patch.decathlon.report.tables.mobile_tl import Row

_LARGEST = 17.0
"""Points of 1/72 in: the diameter of the most operations."""


def mobile_tl_figures(results: Results) -> Iterator[Figure]:
    """One, once MOBILE_TL has run on all its tasks."""
    families = results.suite.families
    if families is None:
        return
    rows = mobile_tl.rows(mobile_tl.comparison(results, families))
    if rows:
        yield svg.figure_of(
            "mobile_tl",
            "mAP against the memory of training",
            " ".join(map(_in_words, rows)),
            lambda: _draw(rows),
        )


def _in_words(row: Row) -> str:
    return (
        f"{row.name}: {row.accuracy:.1f} with {row.memory:,.1f} MB and "
        f"{row.operations:,.0f} MFLOPs."
    )


def _draw(rows: Sequence[Row]) -> Drawing:
    looks = style.looks(dict.fromkeys(row.method for row in rows))
    figure = style.new_figure(3.6)
    axis = figure.subplots()
    _draw_frontier(axis, rows)
    _draw_circles(axis, rows, looks)
    panels.scale_costs(axis, "MB of a training step, as counted")
    axis.set_ylabel("mAP@0.5 in percent, mean")
    style.write_inside(axis, "area: operations of a step")
    panels.add_legend(figure, looks)
    return figure


def _draw_circles(
    axis: Axes, rows: Sequence[Row], looks: Mapping[str, style.Look]
) -> None:
    most = max(row.operations for row in rows)
    for row in rows:
        where = row.memory, row.accuracy
        size = _LARGEST * (row.operations / most) ** 0.5
        look = looks[row.method].filled() | {"marker": "o", "alpha": 0.8}
        axis.plot(*where, markersize=size, **look)
        _, _, label = row.name.partition(", ")
        style.write(axis, label, where, (size / 2 + 2, 0))


def _draw_frontier(axis: Axes, rows: Sequence[Row]) -> None:
    best = [row for row in rows if row.is_best]
    axis.step(
        [row.memory for row in best],
        [row.accuracy for row in best],
        where="post",
        color=style.MUTED,
        linewidth=0.8,
    )
