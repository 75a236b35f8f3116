"""How sure a detector is of what it found in an image, as one number."""

from __future__ import annotations

import numpy as np

FORMULA = "sum of score^3 / sum of score^2 over the detections; 0 without any"


def confidence(scores: np.ndarray) -> float:
    """The mean score of the detections, each weighted by its score's square.

    1 where all that was found is certain, small where a find is neither
    certain nor rejected. The weights leave the long tail of faint detections
    out, so that the number of objects hardly counts.

    Args:
      scores: [N], from 0 to 1.
    """
    scores = np.asarray(scores, np.float64)
    squares = np.square(scores)
    total = float(squares.sum())
    return float((squares * scores).sum()) / total if total else 0.0
