"""How one box shows on a picture: frame, hatching, words of its tag."""

from collections.abc import Iterator

from PIL import ImageDraw

from tfrecords_tools.look.seen import SeenBox

LEGEND = (
    "dashed: difficult   / / crowd   \\ \\ group of   T truncated   O occluded"
)
Colour = tuple[int, int, int]
# Dark enough for white text, in an order that keeps neighbours apart.
_COLOURS: tuple[Colour, ...] = (
    (0, 90, 170),
    (200, 70, 0),
    (0, 125, 80),
    (165, 45, 135),
    (185, 15, 45),
    (125, 95, 0),
    (0, 120, 140),
    (95, 65, 190),
    (80, 115, 0),
    (125, 65, 40),
)
_NO_CLASS: Colour = (90, 90, 90)
_HALO = (255, 255, 255, 170)
_DASH, _SPACE = 6, 4
_HATCH_STEP = 9
_THIN_BELOW = 14

Pixels = tuple[int, int, int, int]


def box_colour(box: SeenBox) -> Colour:
    """By class; grey if the record does not say which."""
    if box.label is None:
        return _NO_CLASS
    return _COLOURS[(box.label - 1) % len(_COLOURS)]


def box_pixels(box: SeenBox, size: tuple[int, int]) -> Pixels:
    """First and last pixels, (left, top, right, bottom), in the picture."""
    edges = (min(max(edge, 0.0), 1.0) for edge in box.edges)
    xmin, ymin, xmax, ymax = edges
    left = min(round(xmin * size[0]), size[0] - 1)
    top = min(round(ymin * size[1]), size[1] - 1)
    right = max(left, round(xmax * size[0]) - 1)
    bottom = max(top, round(ymax * size[1]) - 1)
    return left, top, right, bottom


def tag_text(box: SeenBox, name: str) -> str:
    """`car T O2 crowd`: the name as it can be drawn, and what is special."""
    words = [name]
    if box.truncated:
        words.append("T")
    if box.occluded:
        words.append("O" if box.occluded == 1 else f"O{box.occluded}")
    if box.is_crowd:
        words.append("crowd")
    if box.group_of:
        words.append("group")
    return " ".join(words)


def draw_frame(draw: ImageDraw.ImageDraw, pixels: Pixels, box: SeenBox) -> None:
    """Frame and hatching; `draw` must blend ("RGBA" on an RGB image)."""
    colour = box_colour(box)
    left, top, right, bottom = pixels
    side = min(right - left, bottom - top)
    if side >= _THIN_BELOW:
        halo = (left - 1, top - 1, right + 1, bottom + 1)
        draw.rectangle(halo, outline=_HALO)
    if box.is_crowd:
        for line in _diagonals(pixels):
            draw.line(line, fill=(*colour, 150))
    if box.group_of:
        for x0, y0, x1, y1 in _diagonals(pixels):
            mirrored = (x0, top + bottom - y0, x1, top + bottom - y1)
            draw.line(mirrored, fill=(*colour, 150))
    width = 2 if side >= _THIN_BELOW else 1
    if box.difficult:
        _draw_dashes(draw, pixels, colour, width)
    else:
        draw.rectangle(pixels, outline=colour, width=width)


def _diagonals(pixels: Pixels) -> Iterator[Pixels]:
    """Lines that rise to the right, as `/` does, cut at the frame."""
    left, top, right, bottom = pixels
    for total in range(left + top, right + bottom + 1, _HATCH_STEP):
        x0, x1 = max(left, total - bottom), min(right, total - top)
        yield x0, total - x0, x1, total - x1


def _draw_dashes(
    draw: ImageDraw.ImageDraw, pixels: Pixels, colour: Colour, width: int
) -> None:
    left, top, right, bottom = pixels
    inner = width - 1
    for start in range(left, right + 1, _DASH + _SPACE):
        end = min(right, start + _DASH - 1)
        draw.rectangle((start, top, end, top + inner), fill=colour)
        draw.rectangle((start, bottom - inner, end, bottom), fill=colour)
    for start in range(top, bottom + 1, _DASH + _SPACE):
        end = min(bottom, start + _DASH - 1)
        draw.rectangle((left, start, left + inner, end), fill=colour)
        draw.rectangle((right - inner, start, right, end), fill=colour)
