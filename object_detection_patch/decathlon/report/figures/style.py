"""One look for every figure: its size, its inks, a mark for each method.

A page that is read in the dark replaces the four inks; the colours of
methods stand on dark and light alike and are told apart with every kind of
colour blindness. Nothing is told by colour alone: markers differ too.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

PAPER = "#fffffe"
INK = "#22272e"
MUTED = "#57606a"
GRID = "#d8dee5"
"""The inks, each unlike any other colour, so that it can be replaced."""

WIDTH = 4.4
"""Inches. At 72 points each, letters keep their size on a phone's screen."""

_LEGEND_COLUMNS = 3
_LEGEND_LETTERS = 50

# Okabe and Ito's colours (https://jfly.uni-koeln.de/color/), but their yellow
# and black, which are lost on white and in the dark; the others were searched
# for colours that stay apart from these.
_KNOWN = {
    "FINE_TUNING": ("#555555", "s"),
    "TOWER_PATCH": ("#e69f00", "^"),
    "BN_PATCH": ("#56b4e9", "v"),
    "DW_PATCH": ("#8822dd", "<"),
    "BN_DW_PATCH": ("#cc79a7", ">"),
    "PIGGYBACK": ("#009e73", "D"),
    "WEIGHTTRANS": ("#0072b2", "P"),
    "SPOTPATCH": ("#d55e00", "o"),
}
_FURTHER = (("#774422", "X"), ("#99bb66", "p"), ("#aa77ff", "*"))

_SETTINGS = {
    "axes.axisbelow": True,
    "axes.edgecolor": MUTED,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 9.5,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "figure.facecolor": PAPER,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "lines.markeredgewidth": 0.7,
    "lines.markersize": 6.5,
    "svg.fonttype": "none",
    "text.color": INK,
    # A dollar in a task's name is a dollar.
    "text.parse_math": False,
    "xtick.color": MUTED,
    "xtick.labelcolor": INK,
    "xtick.labelsize": 8.5,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
    "ytick.labelsize": 8.5,
}


@dataclasses.dataclass(frozen=True)
class Look:
    """How a method is drawn."""

    colour: str
    marker: str

    def filled(self) -> dict[str, Any]:
        """Options of Matplotlib's `plot` for points without a line."""
        return {
            "color": self.colour,
            "marker": self.marker,
            "linestyle": "",
            "markeredgecolor": INK,
        }

    def hollow(self) -> dict[str, Any]:
        """The same for a second kind of points of the same method."""
        return {
            **self.filled(),
            "markerfacecolor": PAPER,
            "markeredgecolor": self.colour,
            "markeredgewidth": 1.6,
        }

    def joined(self) -> dict[str, Any]:
        """Options of `plot` for points that a line joins."""
        return {**self.filled(), "linestyle": "-", "linewidth": 1.4}


def looks(methods: Iterable[str]) -> dict[str, Look]:
    """Method -> its look: the same in every figure of a suite."""
    found: dict[str, Look] = {}
    for method in methods:
        if method in _KNOWN:
            found[method] = Look(*_KNOWN[method])
        else:
            further = _FURTHER[len(found.keys() - _KNOWN) % len(_FURTHER)]
            found[method] = Look(*further)
    return found


def settings(salt: str) -> dict[Any, Any]:
    """Matplotlib's rcParams; `salt` makes the ids of an SVG repeatable."""
    return {**_SETTINGS, "svg.hashsalt": salt}


def new_figure(height: float) -> Figure:
    """An empty figure of the usual width and a height in inches."""
    return Figure(figsize=(WIDTH, height), layout="constrained")


def legend_below(figure: Figure, handles: Sequence[Any] = ()) -> None:
    """The legend of all panels, or of `handles`, under them."""
    handles = handles or _handles(figure)
    if not handles:
        return
    longest = max(len(handle.get_label()) for handle in handles)
    columns = min(_LEGEND_COLUMNS, _LEGEND_LETTERS // (longest + 4))
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=max(columns, 1),
        columnspacing=1.0,
        handletextpad=0.4,
    )


def name_rows(axis: Axes, names: Sequence[str]) -> None:
    """A chart of rows from top to bottom: names at the left, no frame."""
    axis.grid(False)
    axis.spines[:].set_visible(False)
    axis.set_yticks(range(len(names)), labels=names)
    axis.set_ylim(len(names) - 0.4, -0.6)
    axis.tick_params(length=0)


def write(
    axis: Axes,
    text: str,
    point: tuple[float, float],
    shift: tuple[float, float],
    align: str = "left",
) -> None:
    """Small text beside a point of the axes; `shift` in points of 1/72 in."""
    axis.annotate(
        text,
        point,
        xytext=shift,
        textcoords="offset points",
        ha=align,
        va="center",
        size=8,
        annotation_clip=False,
    )


def _handles(figure: Figure) -> list[Any]:
    """One of each label, in the order of drawing."""
    found: dict[str, Any] = {}
    for axis in figure.axes:
        for handle, label in zip(
            *axis.get_legend_handles_labels(), strict=True
        ):
            found.setdefault(label, handle)
    return list(found.values())
