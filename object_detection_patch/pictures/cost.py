"""A chart of what a patch reaches over what it costs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from object_detection_patch.pictures import packages
from object_detection_patch.pictures.colours import PALETTE, fraction
from object_detection_patch.pictures.figures import new_figure, rendered

_MARKERS = "osD^vP*X<>"


def cost_scatter(
    points: Mapping[str, Mapping[str, tuple[float, int]]], *, title: str
) -> np.ndarray:
    """mAP over the bytes of a patch file, one panel per task, bytes in log.

    Args:
      points: task -> method -> (mAP in [0, 1], file bytes).
      title: stands above the panels.
    Raises:
      ValueError: nothing to draw, a mAP outside [0, 1], bytes below 1.
      ImportError: without Matplotlib.
    """
    _check_points(points)
    marks = _marks(points)
    figure, axes = _panels(len(points), title)
    for axis, (task, methods) in zip(axes, points.items(), strict=True):
        for method, (value, file_bytes) in methods.items():
            axis.plot(file_bytes, value, markersize=8, **marks[method])
        _label_panel(axis, task)
    all_bytes = [b for panel in points.values() for _, b in panel.values()]
    # Whole decades, so that there are always two labelled ticks.
    axes[0].set_xlim(
        10 ** math.floor(math.log10(0.8 * min(all_bytes))),
        10 ** math.ceil(math.log10(1.25 * max(all_bytes))),
    )
    axes[0].set_ylabel("mAP", fontsize=8)
    axes[0].set_ylim(0, 1.02)
    _add_legend(figure, marks)
    return rendered(figure)


def _check_points(
    points: Mapping[str, Mapping[str, tuple[float, int]]],
) -> None:
    empty = [task for task, methods in points.items() if not methods]
    if empty or not points:
        raise ValueError(
            "Every panel needs a method, and a chart a panel. Received: "
            f"{len(points)} panels, empty: {empty}"
        )
    for task, methods in points.items():
        for method, (value, file_bytes) in methods.items():
            _check_map(task, method, value)
            if not file_bytes >= 1:
                raise ValueError(
                    f"File bytes must be at least 1. Received: {file_bytes} "
                    f"for {method!r} on {task!r}"
                )


def _check_map(task: str, method: str, value: float) -> None:
    if not 0.0 <= value <= 1.0:
        raise ValueError(
            "mAP must lie in [0, 1] (divide percent by 100). Received: "
            f"{value} for {method!r} on {task!r}"
        )


def _marks(
    points: Mapping[str, Mapping[str, Any]],
) -> dict[str, dict[str, Any]]:
    """Method -> how Matplotlib draws it, the same in every panel."""
    methods = dict.fromkeys(m for panel in points.values() for m in panel)
    return {
        method: {
            "marker": _MARKERS[i % len(_MARKERS)],
            "color": fraction(PALETTE[i % len(PALETTE)]),
            "markeredgecolor": "0.2",
            "linestyle": "",
        }
        for i, method in enumerate(methods)
    }


def _panels(count: int, title: str) -> tuple[Any, Sequence[Any]]:
    """A figure with `count` axes on one scale, at most three in a row."""
    columns = min(count, 3)
    rows = math.ceil(count / columns)
    figure = new_figure(3.6 * columns + 0.6, 3.0 * rows + 0.7)
    figure.suptitle(title, fontsize=12)
    axes = figure.subplots(
        rows, columns, squeeze=False, sharex=True, sharey=True
    ).ravel()
    for unused in axes[count:]:
        unused.set_visible(False)
    return figure, axes[:count]


def _label_panel(axis: Any, task: str) -> None:
    axis.set_title(task, fontsize=10)
    axis.set_xscale("log")
    axis.set_xlabel("file bytes", fontsize=8)
    axis.grid(True, color="0.9")
    axis.set_axisbelow(True)
    axis.tick_params(labelsize=8)
    axis.xaxis.set_major_formatter(_bytes_text)


def _add_legend(figure: Any, marks: Mapping[str, Mapping[str, Any]]) -> None:
    line = packages.matplotlib("lines").Line2D
    figure.legend(
        handles=[
            line([], [], label=method, **mark) for method, mark in marks.items()
        ],
        loc="outside lower center",
        ncols=min(len(marks), 4),
        fontsize=8,
        frameon=False,
    )


def _bytes_text(value: float, _position: int) -> str:
    for factor, unit in ((10**6, "MB"), (10**3, "kB")):
        if value >= factor:
            return f"{value / factor:g} {unit}"
    return f"{value:g} B"
