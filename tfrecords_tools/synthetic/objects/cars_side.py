"""Cars from the side: they look to the right, from x = -1 to x = 1."""

import numpy as np

from tfrecords_tools.synthetic import paint
from tfrecords_tools.synthetic.objects.cars_parts import (
    GROUND,
    LAMP,
    Corners,
    Model,
    stripe_ink,
)
from tfrecords_tools.synthetic.paint import BLACK, GLASS, STEEL, Colour
from tfrecords_tools.synthetic.parts import wheel
from tfrecords_tools.synthetic.vector import Sketch

_TAIL_LAMP = (206, 40, 40)


def side_view(model: Model, colour: Colour, rim: Colour) -> Sketch:
    """The whole car from its right."""
    sketch, outline = Sketch(), np.array(model.outline)
    if model.spare:
        sketch.ellipse(outline[:, 0].min() - 0.02, -0.12, 0.09, 0.2, BLACK)
    if model.rack:
        _side_rack(sketch, outline)
    if model.spoiler:
        _side_spoiler(sketch, colour, outline)
    sketch.polygon(outline, colour)
    with sketch.clipped(outline):
        _flank(sketch, model, colour, outline)
    for pane in model.panes:
        sketch.polygon(pane, paint.darker(GLASS, 0.45))
        sketch.polygon(_glint(pane), paint.darker(GLASS, 0.15))
    _side_trim(sketch, model, colour, outline)
    for x in model.wheels:
        wheel(sketch, x, GROUND - model.tyre, model.tyre, rim)
    return sketch


def _side_rack(sketch: Sketch, outline: np.ndarray) -> None:
    top = outline[:, 1].min()
    roof = outline[outline[:, 1] < top + 0.06, 0]
    ends = [(roof.min() + 0.08, top - 0.1), (roof.max() - 0.05, top - 0.1)]
    sketch.line(ends, 0.05, STEEL)
    for x in np.linspace(ends[0][0] + 0.04, ends[1][0] - 0.04, 4):
        sketch.line([(x, top - 0.1), (x, top + 0.02)], 0.04, STEEL)


def _side_spoiler(sketch: Sketch, colour: Colour, outline: np.ndarray) -> None:
    x = outline[:, 0].min() + 0.04
    y = outline[np.argsort(outline[:, 0])[:3], 1].min()
    dark = paint.darker(colour, 0.25)
    sketch.line([(x + 0.1, y + 0.06), (x + 0.06, y - 0.16)], 0.06, dark)
    wing = [(x - 0.1, y - 0.24), (x + 0.2, y - 0.18), (x + 0.18, y - 0.11),
            (x - 0.08, y - 0.15)]  # fmt: skip
    sketch.polygon(wing, dark)


def _flank(
    sketch: Sketch, model: Model, colour: Colour, outline: np.ndarray
) -> None:
    """Light above, shade below, stripes, cell and cloth roof."""
    top = outline[:, 1].min()
    sketch.rectangle(-1.1, 0.2, 1.1, 0.5, paint.darker(colour, 0.35))
    waist = [(-1.1, -0.03), (1.1, 0.02)]
    sketch.line(waist, 0.035, paint.lighter(colour, 0.3))
    if model.stripes:
        ink = stripe_ink(colour)
        sketch.line([(-1.1, 0.07), (1.1, 0.1)], 0.06, ink)
        sketch.line([(-1.1, 0.17), (1.1, 0.19)], 0.06, ink)
        sketch.line([(0.3, -0.2), (1.0, -0.1)], 0.07, ink)
    if model.soft_top:
        sketch.rectangle(-1.1, top, 0.3, -0.16, (52, 50, 48))
    if model.cell:
        arch = outline[outline[:, 1] < 0]
        sketch.line(arch, 0.16, (46, 48, 54))
        sketch.line([(-0.18, -0.1), (-0.1, 0.35)], 0.1, (46, 48, 54))
    for x in model.wheels:
        sketch.circle(
            x, GROUND - model.tyre, 1.22 * model.tyre, paint.darker(colour, 0.6)
        )


def _glint(pane: Corners) -> np.ndarray:
    """The upper part of a window, where the sky is mirrored."""
    corners = np.array(pane)
    top, height = corners[:, 1].min(), np.ptp(corners[:, 1])
    squeezed = corners * (1, 0.4) + (0, 0.6 * top + 0.02 * height)
    return squeezed * (0.96, 1) + (0.04 * corners[:, 0].mean(), 0)


def _side_trim(
    sketch: Sketch, model: Model, colour: Colour, outline: np.ndarray
) -> None:
    left, right = outline[:, 0].min(), outline[:, 0].max()
    seam = paint.darker(colour, 0.4)
    for pane in model.panes[-2:]:
        x = min(corner[0] for corner in pane)
        sketch.line([(x - 0.02, -0.12), (x - 0.01, 0.22)], 0.02, seam)
        sketch.line([(x + 0.05, -0.02), (x + 0.13, -0.02)], 0.03, seam)
    sketch.rectangle(left, -0.02, left + 0.06, 0.12, _TAIL_LAMP)
    sketch.circle(right - 0.09, 0.03, 0.055, LAMP)
    bumper = BLACK if model.rack or model.spare else paint.darker(colour, 0.5)
    sketch.line([(right - 0.16, 0.27), (right, 0.27)], 0.09, bumper)
    sketch.line([(left, 0.27), (left + 0.14, 0.27)], 0.09, bumper)
