"""A flame-like chart of what holds the memory of a training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from object_detection_patch.pictures.colours import PALETTE, fraction
from object_detection_patch.pictures.figures import new_figure, rendered

_WIDTH = 12.0  # inches
# At font size 7 a character takes about this share of the chart's width.
_CHARACTER = 0.0048
_LINE = 0.008
# Characters that fit into the height of a bar.
_MOST_UPRIGHT = 27


def memory_flame(
    memory: Mapping[str, Sequence[tuple[str, int]]], *, title: str
) -> np.ndarray:
    """The sum at the bottom, kinds of memory on it, layers on top.

    Every width is proportional to bytes; a bar stands on what it is a part
    of. Bars are named where the name fits.

    Args:
      memory: kind of memory -> (layer, bytes), in order of the network.
      title: stands above.

    Raises:
      ValueError: nothing to draw, a kind without layers, or bytes below 1.
      ImportError: without Matplotlib.
    """
    _check(memory)
    figure = new_figure(_WIDTH, 5.4)
    axis = figure.subplots()
    for level, start, width, name, colour in _bars(memory):
        _draw(axis, level, start, width, name, colour)
    axis.set_title(title, fontsize=11)
    axis.set_xlim(0, 1)
    axis.set_ylim(0, 3)
    axis.set_axis_off()
    return rendered(figure)


def _check(memory: Mapping[str, Sequence[tuple[str, int]]]) -> None:
    empty = [kind for kind, rows in memory.items() if not rows]
    if empty or not memory:
        raise ValueError(
            "A chart of memory needs kinds, and a kind layers. Received: "
            f"{len(memory)} kinds, empty: {empty}"
        )
    for kind, rows in memory.items():
        for layer, amount in rows:
            if amount < 1:
                raise ValueError(
                    "Each bar must hold at least 1 byte. Received: "
                    f"{amount} of {kind!r} for {layer!r}"
                )


def _bars(
    memory: Mapping[str, Sequence[tuple[str, int]]],
) -> Iterator[tuple[int, float, float, str, Any]]:
    """(level, start, width, name, colour); start and width as fractions."""
    whole = sum(amount for rows in memory.values() for _, amount in rows)
    yield 0, 0.0, 1.0, f"{_megabytes(whole)} in sum", (0.85, 0.85, 0.85)
    start = 0.0
    for number, (kind, rows) in enumerate(memory.items()):
        colour = np.array(fraction(PALETTE[number % len(PALETTE)]))
        amount = sum(amount for _, amount in rows)
        yield 1, start, amount / whole, f"{kind} {_megabytes(amount)}", colour
        for index, (layer, part) in enumerate(rows):
            # Neighbours differ in shade, or a row of layers looks like one.
            shade = 1 - (1 - colour) * (0.75 if index % 2 else 0.5)
            yield 2, start, part / whole, layer, shade
            start += part / whole


def _draw(
    axis: Any, level: int, start: float, width: float, name: str, colour: Any
) -> None:
    axis.barh(
        level + 0.5,
        width,
        left=start,
        height=0.96,
        color=tuple(colour),
        edgecolor="white",
        linewidth=0.3,
    )
    upright = len(name) * _CHARACTER > width
    if upright and (width < _LINE or len(name) > _MOST_UPRIGHT):
        return
    axis.text(
        start + width / 2,
        level + 0.5,
        name,
        rotation=90 if upright else 0,
        ha="center",
        va="center",
        fontsize=7,
    )


def _megabytes(amount: int) -> str:
    return f"{amount / 1e6:,.2f} MB"
