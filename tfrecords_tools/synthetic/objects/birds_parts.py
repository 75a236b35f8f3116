"""Bodies, bills, crests, wings and tails that birds are put together from.

A bird looks to the right; its feet stand at (0.05, FEET).
"""

import dataclasses

import numpy as np

from tfrecords_tools.synthetic import paint
from tfrecords_tools.synthetic.paint import BLACK, WHITE, Colour
from tfrecords_tools.synthetic.vector import Sketch, smooth

FEET = 0.78
_BODY = smooth(
    [
        (0.5, -0.4), (0.54, -0.12), (0.42, 0.2), (0.12, 0.44), (-0.3, 0.42),
        (-0.66, 0.22), (-0.45, -0.06), (-0.1, -0.32), (0.18, -0.55),
    ],
    closed=True,
)  # fmt: skip
_HEAD = (0.36, -0.5, 0.27)
_BELLY = ((0.7, -0.3), (0.5, 0.6), (-0.75, 0.6), (-0.5, 0.24), (0.1, 0.12),
          (0.32, -0.18))  # fmt: skip
_FOLDED = ((0.2, -0.2), (0.24, 0.04), (0.0, 0.23), (-0.4, 0.3), (-0.8, 0.28),
           (-0.46, 0.0), (-0.1, -0.22))  # fmt: skip
_RAISED = ((0.16, -0.22), (0.12, -0.75), (-0.22, -1.15), (-0.55, -1.2),
           (-0.5, -0.75), (-0.42, -0.2), (-0.2, 0.05))  # fmt: skip
_BILLS = {
    "cone": ((0.58, -0.66), (0.74, -0.58), (0.86, -0.44), (0.58, -0.36)),
    "thin": ((0.6, -0.56), (0.88, -0.5), (0.6, -0.46)),
    "dagger": ((0.55, -0.66), (1.15, -0.46), (0.55, -0.4)),
    "stout": ((0.58, -0.62), (0.84, -0.57), (0.96, -0.46), (0.58, -0.4)),
    "hooked": ((0.56, -0.62), (1.0, -0.56), (1.12, -0.4), (0.94, -0.44),
               (0.56, -0.4)),
}  # fmt: skip
_CRESTS = {
    "tall": ((0.1, -0.56), (0.12, -1.12), (0.3, -0.86), (0.52, -0.7)),
    "swept": ((0.12, -0.42), (-0.16, -0.78), (0.2, -0.76), (0.46, -0.72)),
    "ragged": ((0.08, -0.4), (-0.1, -0.7), (0.1, -0.74), (0.06, -0.98),
               (0.26, -0.84), (0.34, -0.98), (0.5, -0.7)),
}  # fmt: skip
_TAILS = {
    "short": ((-0.4, 0.06), (-0.5, 0.36), (-0.92, 0.44), (-0.9, 0.26)),
    "long": ((-0.4, 0.0), (-0.45, 0.36), (-1.2, 0.68), (-1.24, 0.44)),
    "forked": ((-0.4, 0.02), (-0.45, 0.36), (-1.12, 0.68), (-0.86, 0.4),
               (-1.2, 0.34)),
}  # fmt: skip


@dataclasses.dataclass(frozen=True, kw_only=True)
class Species:
    """What a kind of bird looks like.

    Args:
        back, belly, wing, tail, head: colours of the parts.
        bill, crest, tail_shape: keys of the shapes above; crest may be "".
        bill_colour: of the bill.
        mask: around eye and bill; cap: on the crown; None without.
        brow: of a stripe over the eye, None without.
        bars: of two bars across the wing, None without.
        streaks: of marks down the breast, None without.
        belt: of a band across the breast, None without.
        tail_band: at the tail's end, None without.
    """

    back: Colour
    belly: Colour
    wing: Colour
    tail: Colour
    head: Colour
    bill: str
    bill_colour: Colour
    crest: str = ""
    tail_shape: str = "short"
    mask: Colour | None = None
    cap: Colour | None = None
    brow: Colour | None = None
    bars: Colour | None = None
    streaks: Colour | None = None
    belt: Colour | None = None
    tail_band: Colour | None = None


def bird(species: Species, *, flying: bool) -> Sketch:
    """The whole bird, perched or with a wing up."""
    sketch = Sketch()
    if flying:
        far = [(x + 0.24, 0.9 * y) for x, y in _RAISED]
        sketch.blob(far, paint.darker(species.wing, 0.35))
    else:
        _legs(sketch)
    _tail(sketch, species)
    sketch.polygon(_BODY, species.back)
    _breast(sketch, species)
    _head(sketch, species)
    _wing(sketch, species, _RAISED if flying else _FOLDED)
    return sketch


def _legs(sketch: Sketch) -> None:
    for x in (-0.04, 0.12):
        foot = [(x, 0.38), (x + 0.03, FEET), (x + 0.14, FEET + 0.02)]
        sketch.line(foot, 0.05, (112, 84, 66))


def _tail(sketch: Sketch, species: Species) -> None:
    shape = np.array(_TAILS[species.tail_shape])
    sketch.polygon(shape, species.tail)
    edge = paint.darker(species.tail, 0.35)
    sketch.line([shape[0], shape[2:].mean(axis=0)], 0.03, edge)
    if species.tail_band is not None:
        with sketch.clipped(shape):
            ends = [shape[-1] + (0.0, -0.2), shape[2] + (0.02, 0.2)]
            sketch.line(ends, 0.24, species.tail_band)


def _breast(sketch: Sketch, species: Species) -> None:
    with sketch.clipped(_BODY):
        sketch.blob(_BELLY, species.belly)
        if species.belt is not None:
            sketch.curve(
                [(0.14, -0.2), (0.36, -0.1), (0.6, -0.22)], 0.13, species.belt
            )
        if species.streaks is not None:
            for x, y in _streaks():
                ends = [(x, y), (x - 0.05, y + 0.13)]
                sketch.line(ends, 0.055, species.streaks)


def _streaks() -> list[tuple[float, float]]:
    rows = ((-0.22, 0.3, 3), (-0.03, 0.22, 3), (0.15, 0.05, 4), (0.3, -0.2, 4))
    return [
        (start + 0.13 * step, y)
        for y, start, count in rows
        for step in range(count)
    ]


def _head(sketch: Sketch, species: Species) -> None:
    x, y, radius = _HEAD
    if species.crest:
        crown = species.cap or species.head
        sketch.polygon(_CRESTS[species.crest], crown)
    sketch.circle(x, y, radius, species.head)
    if species.cap is not None:
        sketch.sector(x, y - 0.04, 0.27, 0.25, 0.5, 1.0, species.cap)
    if species.brow is not None:
        arc = (x - 0.02, y + 0.06, 0.26, 0.2, 0.52, 0.9)
        sketch.arc(*arc, 0.075, species.brow)
    if species.mask is not None:
        mask = ((0.66, -0.68), (0.66, -0.34), (0.5, -0.36), (0.2, -0.5),
                (0.42, -0.62))  # fmt: skip
        sketch.blob(mask, species.mask)
    bill = _BILLS[species.bill]
    sketch.polygon(bill, species.bill_colour)
    seam = [(0.58, -0.5), (bill[1][0] - 0.06, bill[1][1] + 0.06)]
    sketch.line(seam, 0.02, paint.darker(species.bill_colour, 0.5))
    sketch.circle(0.45, -0.55, 0.062, BLACK)
    sketch.circle(0.47, -0.57, 0.022, WHITE)


def _wing(
    sketch: Sketch,
    species: Species,
    corners: tuple[tuple[float, float], ...],
) -> None:
    shape = smooth(corners, closed=True)
    sketch.polygon(shape, species.wing)
    root, tip = np.array(corners[0]), np.array(corners[4])
    across = np.array(corners[2]) - np.array(corners[-1])
    across /= np.hypot(*across)
    quill = paint.darker(species.wing, 0.3)
    with sketch.clipped(shape):
        for offset in (-0.06, 0.04, 0.14):
            shift = offset * across
            start = 0.45 * root + 0.55 * tip + shift
            sketch.line([start, tip + shift], 0.025, quill)
        if species.bars is not None:
            for share in (0.28, 0.48):
                middle = (1 - share) * root + share * tip
                ends = [middle - 0.4 * across, middle + 0.4 * across]
                sketch.line(ends, 0.075, species.bars)
