"""A picture in the making: layers painted over each other, and their boxes.

Boxes are read off the ink that can still be seen when the picture is done,
never off the formula that drew it.
"""

import dataclasses

import numpy as np

from tfrecords_tools.record import AnnotatedObject

INK = 0.3
"""Coverage from which on a pixel belongs to an object."""


@dataclasses.dataclass
class DrawnObject:
    """An object's coverage (side, side) in [0, 1].

    `drawn` is what was painted, `visible` what later layers left of it.
    """

    name: str
    drawn: np.ndarray
    visible: np.ndarray


def ink_box(coverage: np.ndarray) -> tuple[int, int, int, int]:
    """(xmin, ymin, xmax, ymax), pixel edges of the smallest box of all ink.

    Raises: ValueError if there is none.
    """
    columns = np.flatnonzero((coverage >= INK).any(axis=0))
    rows = np.flatnonzero((coverage >= INK).any(axis=1))
    if not rows.size:
        raise ValueError(
            f"A drawn object needs a pixel covered to {INK} or more. "
            f"Received: at most {float(coverage.max())}"
        )
    return (
        int(columns[0]),
        int(rows[0]),
        int(columns[-1]) + 1,
        int(rows[-1]) + 1,
    )


class Scene:
    """Float picture (side, side, 3) and the objects painted so far."""

    def __init__(self, background: np.ndarray):
        self.pixels: np.ndarray = background.astype(np.float32)
        self.objects: list[DrawnObject] = []

    @property
    def side(self) -> int:
        return self.pixels.shape[0]

    def colour_behind(self, coverage: np.ndarray) -> np.ndarray:
        """Mean RGB of the pixels that a layer would cover."""
        weights = coverage[..., None]
        return (self.pixels * weights).sum((0, 1)) / (weights.sum() + 1e-6)

    def hides(self, coverage: np.ndarray, *, min_visible: float) -> bool:
        """Whether a layer would leave too little of an earlier object."""
        return any(
            float((o.visible * (1 - coverage)).sum())
            < min_visible * float(o.drawn.sum())
            for o in self.objects
        )

    def paint(self, coverage: np.ndarray, colours: np.ndarray) -> None:
        """Covers pixels, and objects below, with something that is none.

        Args:
            colours: (side, side, 3), or (3,) for a single colour.
        """
        weights = coverage[..., None]
        self.pixels += weights * (colours - self.pixels)
        for below in self.objects:
            below.visible = below.visible * (1 - coverage)

    def place(
        self, name: str, coverage: np.ndarray, colours: np.ndarray
    ) -> None:
        """Paints an object."""
        self.paint(coverage, colours)
        self.objects.append(DrawnObject(name, coverage, coverage))

    def shade(self, factor: np.ndarray) -> None:
        """Multiplies brightness by a field (side, side); hides nothing."""
        self.pixels *= factor[..., None]

    def annotate(self, labels: dict[str, int]) -> tuple[AnnotatedObject, ...]:
        """Boxes around the visible ink, in the order of painting.

        An object whose ink reaches the frame's edge counts as truncated.
        """
        return tuple(
            self._annotate(drawn, labels[drawn.name]) for drawn in self.objects
        )

    def to_uint8(self) -> np.ndarray:
        """The picture, rounded to (side, side, 3) uint8."""
        return (np.clip(self.pixels, 0, 1) * 255 + 0.5).astype(np.uint8)

    def _annotate(self, drawn: DrawnObject, label: int) -> AnnotatedObject:
        xmin, ymin, xmax, ymax = ink_box(drawn.visible)
        return AnnotatedObject(
            name=drawn.name,
            label=label,
            xmin=xmin,
            ymin=ymin,
            xmax=xmax,
            ymax=ymax,
            truncated=min(xmin, ymin) == 0 or max(xmax, ymax) == self.side,
        )
