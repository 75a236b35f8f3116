"""Digits as pen strokes: polylines in [-0.6, 0.6] x [-0.9, 0.9], y downward."""

import numpy as np

Strokes = tuple[np.ndarray, ...]


def strokes(name: str) -> Strokes:
    """Polylines (n, 2) of one of `NAMES`.

    Raises: KeyError for another name.
    """
    return _STROKES[name]


def _arc(
    centre: tuple[float, float],
    radii: tuple[float, float],
    degrees: tuple[float, float],
) -> np.ndarray:
    """Elliptic arc; 0 degrees point right, 90 down."""
    angles = np.radians(np.linspace(*degrees, 24))
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    return circle * np.asarray(radii) + np.asarray(centre)


def _line(*corners: tuple[float, float]) -> np.ndarray:
    return np.array(corners, dtype=float)


def _two() -> np.ndarray:
    hook = _arc((0, -0.42), (0.5, 0.48), (-160, 40))
    return np.concatenate([hook, _line((-0.52, 0.9), (0.56, 0.9))])


def _three() -> np.ndarray:
    upper = _arc((-0.04, -0.46), (0.46, 0.44), (-155, 90))
    lower = _arc((-0.04, 0.43), (0.56, 0.47), (-90, 150))
    return np.concatenate([upper, lower])


def _five() -> np.ndarray:
    belly = _arc((-0.05, 0.33), (0.57, 0.57), (-132, 142))
    return np.concatenate([_line((0.46, -0.9), (-0.36, -0.9)), belly])


_STROKES: dict[str, Strokes] = {
    "zero": (_arc((0, 0), (0.54, 0.9), (0, 360)),),
    "one": (_line((-0.34, -0.52), (0.06, -0.9), (0.06, 0.9)),),
    "two": (_two(),),
    "three": (_three(),),
    "four": (_line((0.26, 0.9), (0.26, -0.9), (-0.6, 0.36), (0.6, 0.36)),),
    "five": (_five(),),
}
NAMES = tuple(_STROKES)
