"""One record as a square picture with boxes, tags and a caption below."""

from collections.abc import Sequence
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

from tfrecords_tools.look.choose import Example
from tfrecords_tools.look.decode import thumbnail
from tfrecords_tools.look.lettering import (
    UNKNOWN,
    fit,
    load_font,
    make_drawable,
    wrap,
)
from tfrecords_tools.look.marks import (
    Colour,
    Pixels,
    box_colour,
    box_pixels,
    draw_frame,
    tag_text,
)
from tfrecords_tools.look.seen import (
    ClassNames,
    SeenBox,
    read_boxes,
    read_encoded,
    read_size,
    read_text,
)

CAPTION_HEIGHT = 18
_TEXT_HEIGHT = 12
_TAG_HEIGHT = _TEXT_HEIGHT + 4
_TAGS = 20
_FEW = 4  # Boxes that all get their tag.
_FLATTEST = 4  # Width over height of a tile, the caption not counted.
_PAPER: Colour = (250, 250, 248)
_INK: Colour = (30, 30, 30)
_RED: Colour = (190, 20, 30)


class Tile(NamedTuple):
    """A drawn record; `problem` is empty if all of it could be drawn."""

    picture: Image.Image
    problem: str


def draw_tile(example: Example, side: int, classes: ClassNames) -> Tile:
    """A picture `side` pixels wide and at most `side` + CAPTION_HEIGHT high.

    An image that does not decode leaves a red square with the reason; lists
    of objects that disagree, a red line on the image.
    """
    boxes, problem = _try_to_read_boxes(example, classes)
    count = "? boxes" if problem else _count(boxes)
    try:
        picture = thumbnail(read_encoded(example), side)
    except ValueError as error:
        picture = Image.new("RGB", (side, side), _RED)
        problem = str(error)
    else:
        _draw_boxes(picture, boxes)
    if problem:
        _draw_problem(picture, problem)
    height = max(picture.height, side // _FLATTEST) + CAPTION_HEIGHT
    tile = Image.new("RGB", (side, height), _PAPER)
    tile.paste(picture, (0, 0))
    _draw_caption(tile, example, count)
    return Tile(tile, problem)


def _try_to_read_boxes(
    example: Example, classes: ClassNames
) -> tuple[list[SeenBox], str]:
    try:
        return read_boxes(example, classes), ""
    except ValueError as error:
        return [], str(error)


def _draw_boxes(picture: Image.Image, boxes: Sequence[SeenBox]) -> None:
    """Large boxes first, so that small ones stay visible on them."""
    draw = ImageDraw.Draw(picture, "RGBA")
    drawn = sorted(
        (box for box in boxes if box.encloses_area),
        key=lambda box: (box.xmin - box.xmax) * (box.ymax - box.ymin),
    )
    for box in drawn:
        draw_frame(draw, box_pixels(box, picture.size), box)
    taken: list[Pixels] = []
    for box in _worth_a_tag(drawn)[:_TAGS]:
        place = _draw_tag(draw, picture.size, box, taken)
        if place is not None:
            taken.append(place)


def _worth_a_tag(boxes: Sequence[SeenBox]) -> Sequence[SeenBox]:
    """One of many alike says it for all; a crowd of tags hides the picture."""
    said: set[tuple[str, str]] = set()
    chosen = []
    for box in boxes:
        key = (box.name, tag_text(box, box.name))
        if len(boxes) <= _FEW or key not in said:
            chosen.append(box)
        said.add(key)
    return chosen


def _draw_tag(
    draw: ImageDraw.ImageDraw,
    size: tuple[int, int],
    box: SeenBox,
    taken: Sequence[Pixels],
) -> Pixels | None:
    """Above, in or below the box, where no other tag is; returns the place.

    Where there is none, the frame's colour has to tell the class.
    """
    font = load_font(_TEXT_HEIGHT)
    text = tag_text(box, _drawable_name(box, font))
    text = fit(text, font, size[0] - 6)
    width = min(size[0], round(font.getlength(text)) + 6)
    left, top, _, bottom = box_pixels(box, size)
    left = max(0, min(left, size[0] - width))
    tops = (top - _TAG_HEIGHT, top, bottom + 1, bottom - _TAG_HEIGHT)
    places = [
        (left, y, left + width - 1, y + _TAG_HEIGHT - 1)
        for y in tops
        if 0 <= y <= size[1] - _TAG_HEIGHT
    ]
    places = places or [(left, 0, left + width - 1, _TAG_HEIGHT - 1)]
    free = [p for p in places if not any(_overlap(p, q) for q in taken)]
    if not free:
        return None
    place = free[0]
    draw.rectangle(place, fill=box_colour(box))
    middle = (place[1] + place[3] + 1) / 2
    draw.text((place[0] + 3, middle), text, "white", font, anchor="lm")
    return place


def _drawable_name(box: SeenBox, font: ImageFont.FreeTypeFont) -> str:
    """The label's number for a name in a script that the font lacks."""
    name = make_drawable(box.name, font)
    if name.strip(f"{UNKNOWN} ") or box.label is None:
        return name
    return f"class {box.label}"


def _overlap(one: Pixels, other: Pixels) -> bool:
    return (
        one[0] <= other[2]
        and other[0] <= one[2]
        and one[1] <= other[3]
        and other[1] <= one[3]
    )


def _draw_problem(picture: Image.Image, problem: str) -> None:
    """White on red, from the top."""
    draw = ImageDraw.Draw(picture)
    font = load_font(_TEXT_HEIGHT)
    lines = wrap(make_drawable(problem, font), font, picture.width - 8)
    height = _TAG_HEIGHT * len(lines)
    draw.rectangle((0, 0, picture.width - 1, height + 3), fill=_RED)
    for index, line in enumerate(lines):
        draw.text((4, 3 + _TAG_HEIGHT * index), line, "white", font)


def _draw_caption(tile: Image.Image, example: Example, count: str) -> None:
    """The source_id at the left, size and number of boxes at the right."""
    draw = ImageDraw.Draw(tile)
    font = load_font(_TEXT_HEIGHT)
    middle = tile.height - CAPTION_HEIGHT // 2
    size = read_size(example)
    facts = count if size is None else f"{size[0]}x{size[1]}, {count}"
    draw.text((tile.width - 2, middle), facts, _INK, font, anchor="rm")
    room = tile.width - font.getlength(facts) - 12
    name = make_drawable(read_text(example, "image/source_id"), font)
    if room > 0:
        draw.text((2, middle), fit(name, font, room), _INK, font, anchor="lm")


def _count(boxes: Sequence[SeenBox]) -> str:
    unusable = sum(not box.encloses_area for box in boxes)
    count = f"{len(boxes)} box" + ("" if len(boxes) == 1 else "es")
    return f"{count}, {unusable} not drawable" if unusable else count
