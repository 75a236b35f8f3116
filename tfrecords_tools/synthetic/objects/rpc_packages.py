"""Packages of goods lying on a table, seen from above.

Each fills the square from -1 to 1; its label is printed on top.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from tfrecords_tools.synthetic import paint
from tfrecords_tools.synthetic.affine import pose
from tfrecords_tools.synthetic.objects.rpc_labels import LABELS
from tfrecords_tools.synthetic.objects.rpc_parts import Product
from tfrecords_tools.synthetic.paint import STEEL, WHITE
from tfrecords_tools.synthetic.vector import (
    Sketch,
    ellipse_points,
    rectangle_points,
)

Front: TypeAlias = tuple[np.ndarray, tuple[float, float], float]
"""Outline that a label is clipped to; its middle and half its width."""


def product(article: Product) -> Sketch:
    """The article, standing upright on the page."""
    sketch = Sketch()
    outline, middle, reach = PACKAGES[article.package](sketch, article)
    with sketch.clipped(outline):
        with sketch.posed(pose(*middle, reach)):
            LABELS[article.label](sketch, article)
        _gloss(sketch, outline)
    return sketch


def _gloss(sketch: Sketch, outline: np.ndarray) -> None:
    low, high = outline.min(axis=0), outline.max(axis=0)
    x0 = low[0] + 0.14 * (high[0] - low[0])
    x1 = low[0] + 0.25 * (high[0] - low[0])
    shine = paint.veil(WHITE, 0.35)
    sketch.rectangle(x0, low[1] + 0.08, x1, high[1] - 0.08, shine)


def _bag(sketch: Sketch, article: Product) -> Front:
    """A pillow bag with toothed seams."""
    seam = paint.darker(article.ground, 0.22)
    teeth = np.linspace(-0.66, 0.66, 13)
    for y, sign in ((-0.86, -1), (0.86, 1)):
        edge = [(x, y + sign * (0.14 - 0.07 * (i % 2)))
                for i, x in enumerate(teeth)]  # fmt: skip
        sketch.polygon([(-0.66, y), *edge, (0.66, y)], seam)
    body = [
        (-0.66, -0.88),
        (0.66, -0.88),
        (0.74, -0.4),
        (0.72, 0.4),
        (0.66, 0.88),
        (-0.66, 0.88),
        (-0.72, 0.4),
        (-0.74, -0.4),
    ]
    sketch.polygon(body, article.ground)  # fmt: skip
    return np.array(body), (0, 0), 0.62


def _pouch(sketch: Sketch, article: Product) -> Front:
    """A pouch with a round foot and a tear-off top."""
    body = np.array([(-0.6, -1), (0.6, -1), (0.66, 0.7), (0.4, 0.98),
                     (-0.4, 0.98), (-0.66, 0.7)])  # fmt: skip
    sketch.polygon(body, article.ground)
    sketch.rectangle(-0.6, -1, 0.6, -0.78, article.accent)
    sketch.line([(-0.6, -0.7), (0.6, -0.7)], 0.05, WHITE)
    return body, (0, 0.1), 0.5


def _carton(sketch: Sketch, article: Product) -> Front:
    """A box with a side that one sees a little of."""
    side = paint.darker(article.ground, 0.35)
    sketch.rectangle(-0.7, -0.96, 0.74, 1.0, side)
    face = rectangle_points(-0.7, -0.96, 0.58, 0.84)
    sketch.polygon(face, article.ground)
    sketch.rectangle(-0.7, 0.62, 0.58, 0.84, article.accent)
    return face, (-0.06, -0.12), 0.52


def _cup(sketch: Sketch, article: Product) -> Front:
    """A cup seen onto its lid, with a tab to open it."""
    sketch.polygon([(0.5, -0.6), (0.92, -0.98), (0.98, -0.6), (0.7, -0.3)],
                   article.accent)  # fmt: skip
    sketch.circle(0, 0, 0.9, paint.darker(article.ground, 0.3))
    lid = ellipse_points(0, 0, 0.8, 0.8)
    sketch.polygon(lid, article.ground)
    return lid, (0, 0), 0.5


def _bottle(sketch: Sketch, article: Product) -> Front:
    """A lying bottle with a screw cap."""
    neck = paint.darker(article.ground, 0.15)
    sketch.polygon([(-0.14, -0.8), (0.14, -0.8), (0.36, -0.3), (-0.36, -0.3)],
                   neck)  # fmt: skip
    sketch.rectangle(-0.17, -1, 0.17, -0.78, article.accent, radius=0.04)
    body = rectangle_points(-0.37, -0.36, 0.37, 1.0, 0.12)
    sketch.polygon(body, article.ground)
    return body, (0, 0.3), 0.36


def _can(sketch: Sketch, article: Product) -> Front:
    """A lying can between steel rims."""
    for y in (-0.8, 0.8):
        sketch.ellipse(0, y, 0.5, 0.14, STEEL)
    body = rectangle_points(-0.54, -0.78, 0.54, 0.78)
    sketch.polygon(body, article.ground)
    for y in (-0.72, 0.72):
        rim = paint.darker(STEEL, 0.15)
        sketch.line([(-0.5, y), (0.5, y)], 0.08, rim)
    return body, (0, 0), 0.46


def _tin(sketch: Sketch, article: Product) -> Front:
    """A flat tin with a ring to pull."""
    sketch.circle(0, 0, 0.92, STEEL)
    sketch.circle(0, 0, 0.84, paint.darker(STEEL, 0.2))
    lid = ellipse_points(0, 0, 0.76, 0.76)
    sketch.polygon(lid, article.ground)
    sketch.arc(0, -0.45, 0.18, 0.2, 0, 1, 0.08, STEEL)
    return lid, (0, 0.1), 0.44


def _bar(sketch: Sketch, article: Product) -> Front:
    """A narrow wrapper with crimped ends."""
    for y, sign in ((-0.8, -1), (0.8, 1)):
        foil = paint.lighter(article.accent, 0.2)
        edge = [
            (x, y + sign * 0.2 - sign * 0.08 * (i % 2))
            for i, x in enumerate(np.linspace(-0.34, 0.34, 7))
        ]
        sketch.polygon([(-0.34, y), *edge, (0.34, y)], foil)  # fmt: skip
    body = rectangle_points(-0.38, -0.82, 0.38, 0.82, 0.06)
    sketch.polygon(body, article.ground)
    return body, (0, 0), 0.34


def _tube(sketch: Sketch, article: Product) -> Front:
    """A squeezed tube with its cap down."""
    body = np.array([(-0.46, -0.98), (0.46, -0.98), (0.24, 0.7),
                     (-0.24, 0.7)])  # fmt: skip
    sketch.polygon(body, article.ground)
    sketch.rectangle(-0.5, -1, 0.5, -0.88, paint.darker(article.ground))
    sketch.rectangle(-0.22, 0.68, 0.22, 1.0, article.accent, radius=0.05)
    return body, (0, -0.2), 0.32


def _sweet(sketch: Sketch, article: Product) -> Front:
    """A wrapped sweet with twisted ends."""
    for sign in (-1, 1):
        end = [(0.0, 0.0), (sign, -0.42), (0.82 * sign, 0.0), (sign, 0.42)]
        sketch.polygon(end, article.accent)
    body = ellipse_points(0, 0, 0.62, 0.46)
    sketch.polygon(body, article.ground)
    return body, (0, 0), 0.4


def _gable(sketch: Sketch, article: Product) -> Front:
    """A lying milk carton with a folded top."""
    fold = paint.darker(article.ground, 0.18)
    sketch.polygon([(-0.5, -0.5), (-0.4, -0.86), (0.4, -0.86), (0.5, -0.5)],
                   fold)  # fmt: skip
    sketch.rectangle(-0.4, -1, 0.4, -0.84, article.accent)
    body = rectangle_points(-0.5, -0.52, 0.5, 1.0)
    sketch.polygon(body, article.ground)
    return body, (0, 0.22), 0.42


def _tissue(sketch: Sketch, article: Product) -> Front:
    """A soft pack with an oval hole and paper in it."""
    body = rectangle_points(-0.95, -0.6, 0.95, 0.6, 0.16)
    sketch.polygon(body, article.ground)
    with sketch.clipped(body):
        for x in (-0.7, 0.7):
            sketch.circle(x, 0.3, 0.22, article.print)
            sketch.circle(x, -0.35, 0.14, article.accent)
    sketch.ellipse(0, 0, 0.5, 0.26, article.accent)
    sketch.ellipse(0, 0, 0.42, 0.19, paint.darker(article.accent, 0.3))
    sheet = [
        (-0.3, 0.04),
        (-0.1, -0.3),
        (0.05, -0.1),
        (0.24, -0.34),
        (0.3, 0.06),
    ]
    sketch.polygon(sheet, WHITE)
    return body, (0, 0), 0.01


PACKAGES: dict[str, Callable[[Sketch, Product], Front]] = {
    "bag": _bag, "pouch": _pouch, "carton": _carton, "cup": _cup,
    "bottle": _bottle, "can": _can, "tin": _tin, "bar": _bar, "tube": _tube,
    "sweet": _sweet, "gable": _gable, "tissue": _tissue,
}  # fmt: skip
