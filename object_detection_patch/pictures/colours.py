"""The colours of every picture, as RGB in 0 to 255."""

from __future__ import annotations

# Okabe and Ito's colours, told apart with every kind of colour blindness
# (https://jfly.uni-koeln.de/color/), black left out for outlines.
PALETTE = (
    (230, 159, 0),
    (0, 114, 178),
    (0, 158, 115),
    (204, 121, 167),
    (86, 180, 233),
    (213, 94, 0),
    (240, 228, 66),
)
INK = (34, 34, 34)
PAPER = (255, 255, 255)


def fraction(colour: tuple[int, int, int]) -> tuple[float, ...]:
    """The colour in 0 to 1, as Matplotlib wants it."""
    return tuple(channel / 255 for channel in colour)
