"""Cars from the front."""

import numpy as np

from tfrecords_tools.synthetic import paint
from tfrecords_tools.synthetic.objects.cars_parts import (
    GROUND,
    LAMP,
    Model,
    stripe_ink,
)
from tfrecords_tools.synthetic.paint import BLACK, GLASS, STEEL, Colour
from tfrecords_tools.synthetic.vector import Sketch


def front_view(model: Model, colour: Colour) -> Sketch:
    """The whole car from before it."""
    sketch, wide = Sketch(), model.half_width
    for x in (-0.75 * wide, 0.75 * wide):
        sketch.rectangle(x - 0.11, 0.2, x + 0.11, GROUND, BLACK, radius=0.04)
    if model.spoiler:
        level = model.roof - 0.08
        sketch.line([(-0.9 * wide, level), (0.9 * wide, level)], 0.07, colour)
        for x in (-0.8 * wide, 0.8 * wide):
            sketch.line([(x, level), (x, 0.0)], 0.06, colour)
    _cabin(sketch, model, colour)
    sketch.rectangle(-wide, model.bonnet, wide, 0.4, colour, radius=0.09)
    lid = paint.lighter(colour, 0.15)
    edge = model.bonnet
    sketch.polygon(
        [(-0.76 * wide, edge), (0.76 * wide, edge), (0.86 * wide, edge + 0.1),
         (-0.86 * wide, edge + 0.1)], lid,
    )  # fmt: skip
    if model.stripes:
        _front_stripes(sketch, model, colour)
    _face(sketch, model, colour)
    return sketch


def _cabin(sketch: Sketch, model: Model, colour: Colour) -> None:
    wide, top, foot = model.half_width, model.roof, model.bonnet + 0.05
    lean = 0.94 if model.soft_top or model.half_width < 0.6 else 0.78
    roof = (52, 50, 48) if model.soft_top or model.cell else colour
    if model.rack:
        bars = [(-0.7 * wide, top - 0.08), (0.7 * wide, top - 0.08)]
        sketch.line(bars, 0.045, STEEL)
        for x in (-0.6 * wide, 0.0, 0.6 * wide):
            sketch.line([(x, top - 0.08), (x, top + 0.03)], 0.045, STEEL)
    hood = [(-0.9 * lean * wide, top), (0.9 * lean * wide, top),
            (0.96 * wide, foot), (-0.96 * wide, foot)]  # fmt: skip
    sketch.polygon(hood, roof)
    inner = np.array(hood) * (0.86, 1) + np.array(
        [(0, 0.07), (0, 0.07), (0, -0.02), (0, -0.02)]
    )
    sketch.polygon(inner, paint.darker(GLASS, 0.45))
    upper = (inner[0] + inner[3]) / 2, (inner[1] + inner[2]) / 2
    glint = [inner[0], inner[1], upper[1], upper[0]]
    sketch.polygon(glint, paint.darker(GLASS, 0.15))
    for x in (-1.04 * wide, 1.04 * wide):
        sketch.ellipse(x, model.bonnet - 0.04, 0.08, 0.06, roof)


def _front_stripes(sketch: Sketch, model: Model, colour: Colour) -> None:
    for x in (-0.13, 0.13):
        sketch.rectangle(
            x - 0.06, model.bonnet, x + 0.06, 0.4, stripe_ink(colour)
        )
        sketch.rectangle(
            x - 0.06, model.roof, x + 0.06, model.roof + 0.06,
            stripe_ink(colour),
        )  # fmt: skip


def _face(sketch: Sketch, model: Model, colour: Colour) -> None:
    """Lamps, grille, bumper and plate."""
    wide, y = model.half_width, model.bonnet + 0.19
    for side in (-1, 1):
        if model.round_lamps:
            sketch.circle(0.74 * side * wide, y, 0.1, paint.darker(colour))
            sketch.circle(0.74 * side * wide, y, 0.075, LAMP)
        else:
            lamp = sorted((0.6 * side * wide, 0.95 * side * wide))
            sketch.rectangle(
                lamp[0], y - 0.06, lamp[1], y + 0.05, LAMP, radius=0.03
            )
    _grille(sketch, model.grille, 0.52 * wide, y)
    dark = BLACK if model.rack or model.spare else paint.darker(colour, 0.45)
    sketch.rectangle(-wide, 0.3, wide, 0.4, dark, radius=0.04)
    sketch.rectangle(-0.13, 0.29, 0.13, 0.37, paint.WHITE)


def _grille(sketch: Sketch, kind: str, reach: float, y: float) -> None:
    low, high = y - 0.09, y + 0.1
    if kind == "slats":
        for x in np.linspace(-reach, reach, 7):
            sketch.line([(x, low), (x, high)], 0.05, BLACK)
        return
    if kind == "slot":
        sketch.rectangle(
            -1.5 * reach, y - 0.02, 1.5 * reach, y + 0.08, BLACK, radius=0.05
        )
        return
    if kind == "square":
        sketch.rectangle(-0.8 * reach, low, 0.8 * reach, high, STEEL)
        sketch.rectangle(
            -0.7 * reach, low + 0.03, 0.7 * reach, high - 0.03, BLACK
        )
        ends = [(-0.6 * reach, high - 0.03), (0.6 * reach, low + 0.03)]
        sketch.line(ends, 0.045, STEEL)
        return
    sketch.rectangle(-reach, low, reach, high, BLACK, radius=0.03)
    for level in (y - 0.03, y + 0.04):
        sketch.line([(-reach, level), (reach, level)], 0.03, STEEL)
