"""Axes of Scores over costs, drawn and in words."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullLocator

from object_detection_patch.decathlon.report.figures import style, svg

_LABELLED = (1, 3)

Points = Mapping[str, tuple[float, float]]
"""Method -> (cost, Score)."""


@dataclasses.dataclass(frozen=True)
class Panel:
    """Filled points, and hollow ones to compare them with.

    Args:
      across: what the costs are, for the axis.
      unit: of a cost, in words.
      meaning: of filled and of hollow points.
    """

    title: str
    across: str
    unit: str
    meaning: tuple[str, str]
    filled: Points
    hollow: Points

    def in_words(self) -> str:
        """Every number of the panel."""
        kinds = zip(self.meaning, (self.filled, self.hollow), strict=True)
        parts = [
            f"{name}: {'; '.join(self._rows(points))}"
            for name, points in kinds
            if points
        ]
        return f"{self.title}. {'. '.join(parts)}."

    def _rows(self, points: Points) -> list[str]:
        return [
            f"{method} {cost:,.2f} {self.unit}, Score {score:,.0f}"
            for method, (cost, score) in points.items()
        ]


def draw(panels: Sequence[Panel], looks: Mapping[str, style.Look]) -> Drawing:
    """Panels one above the other over one legend."""
    figure = style.new_figure(0.9 + 2.7 * len(panels))
    axes = figure.subplots(len(panels), squeeze=False)[:, 0]
    for axis, panel in zip(axes, panels, strict=True):
        _draw_points(axis, panel, looks)
        _label(axis, panel)
        if len(panels) > 1:
            axis.set_title(panel.title)
    methods = dict.fromkeys(m for panel in panels for m in panel.filled)
    add_legend(figure, {method: looks[method] for method in methods})
    return figure


def add_legend(figure: Drawing, looks: Mapping[str, style.Look]) -> None:
    """A mark for each method, under all panels."""
    style.legend_below(
        figure,
        [
            Line2D([], [], **look.filled(), label=svg.label(method))
            for method, look in looks.items()
        ],
    )


def _draw_points(
    axis: Axes, panel: Panel, looks: Mapping[str, style.Look]
) -> None:
    """A line joins the two points of a method."""
    for method, (cost, score) in panel.filled.items():
        if method in panel.hollow:
            other_cost, other_score = panel.hollow[method]
            axis.plot(
                (cost, other_cost),
                (score, other_score),
                color=style.MUTED,
                linewidth=0.8,
            )
            axis.plot(other_cost, other_score, **looks[method].hollow())
        axis.plot(cost, score, **looks[method].filled())


def label_axes(axis: Axes, across: str) -> None:
    """Costs on a logarithmic scale, Scores from 0."""
    axis.set_xscale("log")
    axis.xaxis.set_major_locator(LogLocator(subs=_LABELLED))
    axis.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    axis.xaxis.set_minor_locator(NullLocator())
    axis.set_xlabel(across)
    axis.set_ylabel("Score")
    axis.set_ylim(bottom=0)


def _label(axis: Axes, panel: Panel) -> None:
    label_axes(axis, panel.across)
    if panel.hollow:
        axis.annotate(
            "filled: {}, hollow: {}".format(*panel.meaning),
            (0.02, 0.02),
            xycoords="axes fraction",
            color=style.MUTED,
            size=8,
        )
