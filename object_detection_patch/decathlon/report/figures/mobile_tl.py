"""mAP against memory, marks as large as operations (MobileTL, Figure 5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from object_detection_patch.decathlon.report.collect import Results
from object_detection_patch.decathlon.report.contents import Figure
from object_detection_patch.decathlon.report.figures import panels, style, svg
from object_detection_patch.decathlon.report.tables import mobile_tl
from object_detection_patch.decathlon.report.tables.mobile_tl import Row

_LARGEST = 15.0
"""Points of 1/72 in: the width of the mark of the most operations."""


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
    """All ways to train, then those of MOBILE_TL, which lie close together."""
    most = max(row.operations for row in rows)
    looks = style.looks(dict.fromkeys(row.method for row in rows))
    figure = style.new_figure(5.6)
    everything, close = figure.subplots(2)
    _draw_frontier(everything, rows)
    _draw_marks(everything, rows, looks, most)
    variants = [row for row in rows if row.method == mobile_tl.MOBILE_TL]
    _draw_marks(close, variants, looks, most)
    _label_marks(close, variants)
    close.set_title(mobile_tl.MOBILE_TL)
    close.set_xlabel("MB of a training step; areas: its operations, as counted")
    for axis in (everything, close):
        axis.set_ylabel("mAP@0.5, mean")
        axis.margins(0.15)
    panels.add_legend(figure, looks)
    return figure


def _draw_marks(
    axis: Axes,
    rows: Sequence[Row],
    looks: Mapping[str, style.Look],
    most: float,
) -> None:
    """Marks whose areas are operations, `most` of them `_LARGEST` wide."""
    for row in rows:
        look = looks[row.method].filled() | {
            "markersize": _LARGEST * (row.operations / most) ** 0.5
        }
        axis.plot(row.memory, row.accuracy, **look)


def _label_marks(axis: Axes, rows: Sequence[Row]) -> None:
    for row in rows:
        _, _, label = row.name.partition(", ")
        where = row.memory, row.accuracy
        style.write(axis, label or row.name, where, (0, 13), "center")


def _draw_frontier(axis: Axes, rows: Sequence[Row]) -> None:
    best = [row for row in rows if row.is_best]
    axis.step(
        [row.memory for row in best],
        [row.accuracy for row in best],
        where="post",
        color=style.MUTED,
        linewidth=0.8,
    )
