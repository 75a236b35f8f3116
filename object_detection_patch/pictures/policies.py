"""Charts of which blocks images take: the base's or the task's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from object_detection_patch.pictures.colours import PALETTE, fraction
from object_detection_patch.pictures.figures import new_figure, rendered

_CELL = 0.86
_OUTLINE = "0.6"


def policy_chart(
    shares: Sequence[float], histogram: Sequence[int], *, title: str
) -> np.ndarray:
    """One model's blocks, and how many of them its images take tuned.

    Args:
      shares: of images that take each block tuned, in network order.
      histogram: images that take 0, 1, ... all blocks tuned.
      title: stands above.

    Raises:
      ValueError: for a share outside [0, 1], a negative count, or a histogram
        of another number of blocks.
      ImportError: without Matplotlib.
    """
    check_policy(title, shares, histogram)
    figure = new_figure(8.0, 3.6)
    colour = fraction(PALETTE[-2])
    above, below = figure.subplots(2, 1, height_ratios=(1, 2))
    draw_map(above, {"": shares}, colour=colour, outline=_OUTLINE)
    above.set_title(f"{title}: images that take each block tuned", loc="left")
    above.set_xlabel("blocks from input to output")
    draw_histogram(below, histogram, colour=colour)
    below.set_xlabel("blocks that an image takes tuned")
    below.set_ylabel("images")
    return rendered(figure)


def draw_map(
    axis: Any,
    rows: Mapping[str, Sequence[float]],
    *,
    colour: Any,
    outline: Any,
) -> None:
    """A row for each name, a cell for each block, filled as high as the share
    of images that take the block tuned (SpotTune, Figure 3).

    The first row stands at 0, the next at 1 below it; blocks count from 1.
    """
    for row, shares in enumerate(rows.values()):
        blocks = np.arange(1, len(shares) + 1)
        bottom = row + _CELL / 2
        frame = {"width": _CELL, "bottom": bottom, "edgecolor": outline}
        axis.bar(blocks, -_CELL, **frame, facecolor="none", linewidth=0.5)
        axis.bar(
            blocks,
            [-_CELL * share for share in shares],
            width=_CELL,
            bottom=bottom,
            color=colour,
        )
    most = max((len(shares) for shares in rows.values()), default=1)
    axis.set_xlim(0.4, most + 0.6)
    axis.set_xticks(range(1, most + 1, 1 + most // 20))
    axis.set_yticks(range(len(rows)), labels=list(rows))
    axis.set_ylim(len(rows) - 0.5, -0.5)


def draw_histogram(axis: Any, histogram: Sequence[int], *, colour: Any) -> None:
    """Images by the number of blocks that they take tuned (Figure 4)."""
    axis.bar(range(len(histogram)), histogram, width=_CELL, color=colour)
    axis.set_xlim(-0.6, len(histogram) - 0.4)
    axis.set_xticks(range(0, len(histogram), 1 + len(histogram) // 20))


def check_policy(
    title: str, shares: Sequence[float], histogram: Sequence[int]
) -> None:
    """Raises ValueError for numbers that are no policy's; see above."""
    if not all(0 <= share <= 1 for share in shares):
        raise ValueError(
            "The share of images that take a block must lie in [0, 1]. "
            f"Received: {list(shares)} for {title!r}"
        )
    if any(count < 0 for count in histogram):
        raise ValueError(
            "A count of images must be 0 or more. Received: "
            f"{list(histogram)} for {title!r}"
        )
    if len(histogram) != len(shares) + 1:
        raise ValueError(
            "A histogram of tuned blocks counts images from none to all of "
            f"{len(shares)} blocks. Received: {len(histogram)} counts for "
            f"{title!r}"
        )
