"""Matplotlib's figures, without pyplot and its global state."""

from __future__ import annotations

from typing import Any

import numpy as np

from object_detection_patch.pictures import packages

_DOTS_PER_INCH = 120


def new_figure(width: float, height: float) -> Any:
    """An empty figure of this size in inches."""
    return packages.matplotlib("figure").Figure(
        figsize=(width, height), dpi=_DOTS_PER_INCH, layout="constrained"
    )


def rendered(figure: Any) -> np.ndarray:
    """The figure's pixels, uint8 [height, width, 3]."""
    canvas = packages.matplotlib("backends.backend_agg").FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
