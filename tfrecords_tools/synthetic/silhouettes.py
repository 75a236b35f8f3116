"""Outlines of the drawn classes, in a circle of radius 1 around (0, 0).

An outline is a sequence of polygons: ink adds what is inside, a hole removes
it. x grows rightward, y downward.
"""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Polygon:
    """Corners (n, 2) as (x, y); a hole takes ink away."""

    corners: np.ndarray
    is_hole: bool = False


Outline = tuple[Polygon, ...]


def outline(name: str) -> Outline:
    """Outline of one of `NAMES`.

    Raises: KeyError for another name.
    """
    return _OUTLINES[name]


def _arc(radius: float, centre: tuple[float, float] = (0, 0)) -> np.ndarray:
    angles = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    return radius * circle + np.asarray(centre)


def _radial(radii: list[float]) -> np.ndarray:
    """Polygon whose corners lie at equal angles, the first one on top."""
    angles = 2 * np.pi * np.arange(len(radii)) / len(radii)
    corners = np.stack([np.sin(angles), -np.cos(angles)], axis=-1)
    return corners * np.asarray(radii)[:, None]


def _cross() -> np.ndarray:
    arm = 0.3
    end = np.sqrt(1 - arm**2)
    quarter = np.array([[arm, -end], [arm, -arm], [end, -arm]])
    turns = [np.linalg.matrix_power([[0, 1], [-1, 0]], k) for k in range(4)]
    return np.concatenate([quarter @ turn for turn in turns])


def _heart() -> np.ndarray:
    # Source: Weisstein, "Heart Curve", MathWorld, the sin^3 parametrisation.
    t = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    x = 16 * np.sin(t) ** 3
    y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return np.stack([x, -y - 2], axis=-1) / 17


_DISC = Polygon(_arc(1))
_SQUARE = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
_OUTLINES: dict[str, Outline] = {
    "circle": (_DISC,),
    "square": (Polygon(np.sqrt(0.5) * _SQUARE),),
    "triangle": (Polygon(_radial([1] * 3)),),
    "star": (Polygon(_radial([1, 0.42] * 5)),),
    "ring": (_DISC, Polygon(_arc(0.55), is_hole=True)),
    "cross": (Polygon(_cross()),),
    "crescent": (_DISC, Polygon(_arc(0.85, (0.5, 0)), is_hole=True)),
    "heart": (Polygon(_heart()),),
}
NAMES = tuple(_OUTLINES)
