"""From a box as annotated to a box as trained on: fractions, clipped."""

import dataclasses
import enum
import struct

from tfrecords_tools.record import AnnotatedImage, AnnotatedObject, EdgeRule

_FLOATS = struct.Struct("<4f")

Edges = tuple[float, float, float, float]
"""(xmin, ymin, xmax, ymax)."""


class BoxConvention(enum.Enum):
    """What becomes of numbers that name pixels instead of edges."""

    STRICT = "strict"
    """Pixel 1 begins at edge 0: minima move by one."""
    ODAPI = "odapi"
    """Numbers over size, as the OD API's own converters have it."""


@dataclasses.dataclass(frozen=True, slots=True)
class PlacedBox:
    """Edges as fractions, float32-exact; None if nothing is left of the box.

    `clipped` tells whether a part of it lay outside the image, `lost` why
    nothing is left.
    """

    edges: Edges | None
    clipped: bool = False
    lost: str = ""


def frame_of(
    image: AnnotatedImage, decoded: tuple[int, int]
) -> tuple[int, int]:
    """(width, height) that the image's edges refer to, in pixels.

    That of the decoded image, unless the boxes fit the annotated size only:
    then the annotations were made on a picture of another size.
    """
    if image.size is None or image.size == decoded:
        return decoded
    if _fit(image, image.size) and not _fit(image, decoded):
        return image.size
    return decoded


def place(
    box: AnnotatedObject,
    rule: EdgeRule,
    frame: tuple[int, int],
    convention: BoxConvention,
) -> PlacedBox:
    """Turns into continuous edges, clips to the frame, normalises, rounds.

    Args:
        frame: (width, height) that the edges refer to, pixels.
    """
    width, height = (1, 1) if rule is EdgeRule.FRACTIONS else frame
    shift = _shift(rule, convention)
    edges = (box.xmin - shift, box.ymin - shift, box.xmax, box.ymax)
    lost = _without_area(edges)
    if lost:
        return PlacedBox(None, lost=lost)
    inside = _clip(edges, width, height)
    if _without_area(inside):
        return PlacedBox(None, lost="outside the image")
    fractions = _normalise(inside, width, height)
    if _without_area(fractions):
        return PlacedBox(None, lost="too small for float32")
    return PlacedBox(fractions, clipped=inside != edges)


def _without_area(edges: Edges) -> str:
    """What keeps the box from enclosing an area; empty if it does."""
    xmin, ymin, xmax, ymax = edges
    if xmax == xmin:
        return "zero width"
    if ymax == ymin:
        return "zero height"
    if xmax < xmin:
        return "negative width"
    return "negative height" if ymax < ymin else ""


def _shift(rule: EdgeRule, convention: BoxConvention) -> int:
    counts_from_one = rule is EdgeRule.ONE_BASED_INCLUSIVE
    return int(counts_from_one and convention is BoxConvention.STRICT)


def _fit(image: AnnotatedImage, size: tuple[int, int]) -> bool:
    return all(
        box.xmax <= size[0] and box.ymax <= size[1] for box in image.objects
    )


def _clip(edges: Edges, width: int, height: int) -> Edges:
    xmin, ymin, xmax, ymax = edges
    return (
        min(max(xmin, 0.0), float(width)),
        min(max(ymin, 0.0), float(height)),
        min(max(xmax, 0.0), float(width)),
        min(max(ymax, 0.0), float(height)),
    )


def _normalise(edges: Edges, width: int, height: int) -> Edges:
    """Fractions, rounded as the records' float32 will round them."""
    xmin, ymin, xmax, ymax = edges
    fractions = (xmin / width, ymin / height, xmax / width, ymax / height)
    rounded: Edges = _FLOATS.unpack(_FLOATS.pack(*fractions))
    return rounded
