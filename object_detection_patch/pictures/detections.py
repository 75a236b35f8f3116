"""Boxes and labels of detections, drawn into their image."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from object_detection_patch.pictures import packages
from object_detection_patch.pictures.checks import checked_image
from object_detection_patch.pictures.colours import INK, PALETTE, PAPER
from object_detection_patch.pictures.fonts import FONT_SIZE, load_font

_READABLE_SIDE = 360  # pixels; smaller images are enlarged before labelling
_LARGEST_ENLARGEMENT = 4


def draw_detections(
    image: np.ndarray,
    boxes: np.ndarray,
    classes: np.ndarray,
    scores: np.ndarray | None,
    label_names: Mapping[int, str],
    *,
    min_score: float = 0.5,
) -> np.ndarray:
    """The image with a box and a label for every confident detection.

    Images whose longer side is under 360 pixels are enlarged first, by a
    whole factor up to 4, so that labels stay readable beside small objects.

    Args:
      image: uint8 [height, width, 3].
      boxes: [N, 4] as ymin, xmin, ymax, xmax, fractions of the image; what
        lies outside is clipped, and not drawn if nothing remains.
      classes: [N] class ids.
      scores: [N], or None for groundtruth: all drawn, without a number.
      label_names: class id -> name; an id without name is shown as `#id`.
      min_score: detections below are not drawn.
    Returns:
      A new uint8 image, a whole factor larger than `image` or equal in size.
    Raises:
      ValueError: an array of another shape or type, not finite, or a box of
        negative size.
      ImportError: without Pillow.
    """
    image = checked_image("image", image)
    boxes, classes, shown = _checked_detections(boxes, classes, scores)
    drawing = packages.pillow("Image").fromarray(image)
    factor = _enlargement(*drawing.size)
    if factor > 1:
        drawing = drawing.resize(
            (drawing.width * factor, drawing.height * factor),
            packages.pillow("Image").Resampling.BICUBIC,
        )
    # The best detection is drawn last, on top, and labelled first, so that it
    # gets the best place.
    order = [
        i
        for i in np.argsort(-shown, kind="stable")
        if shown[i] >= min_score and np.all(boxes[i, :2] < boxes[i, 2:])
    ]
    pixels = boxes * np.tile([drawing.height - 1, drawing.width - 1], 2)
    for i in reversed(order):
        _draw_box(drawing, pixels[i], _colour(int(classes[i])))
    taken: list[tuple[float, ...]] = []
    for i in order:
        class_id = int(classes[i])
        text = label_names.get(class_id, f"#{class_id}")
        if scores is not None:
            text = f"{text} {100 * shown[i]:.0f}%"
        taken.append(
            _draw_label(drawing, pixels[i], text, _colour(class_id), taken)
        )
    return np.asarray(drawing).copy()


def _checked_detections(
    boxes: Any, classes: Any, scores: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    classes = np.asarray(classes)
    count = classes.size
    boxes = np.asarray(boxes, np.float64)
    boxes = boxes.reshape(0, 4) if not boxes.size else boxes
    shown = np.ones(count) if scores is None else np.asarray(scores, np.float64)
    expected = {
        "boxes": (boxes, (count, 4)),
        "classes": (classes, (count,)),
        "scores": (shown, (count,)),
    }
    for name, (array, shape) in expected.items():
        if array.shape != shape:
            raise ValueError(
                f"`{name}` must have shape {list(shape)} for {count} "
                f"detections. Received: shape {list(array.shape)}"
            )
        if not np.isfinite(array).all():
            raise ValueError(
                f"`{name}` must be finite. Received: {array.tolist()}"
            )
    negative = np.flatnonzero(np.any(boxes[:, 2:] < boxes[:, :2], axis=1))
    if negative.size:
        raise ValueError(
            "`boxes` must have ymax >= ymin and xmax >= xmin. Received: row "
            f"{negative[0]} is {boxes[negative[0]].tolist()}"
        )
    return np.clip(boxes, 0.0, 1.0), classes, shown


def _enlargement(width: int, height: int) -> int:
    wanted = math.ceil(_READABLE_SIDE / max(width, height))
    return min(max(wanted, 1), _LARGEST_ENLARGEMENT)


def _colour(class_id: int) -> tuple[int, int, int]:
    return PALETTE[(class_id - 1) % len(PALETTE)]


def _draw_box(
    drawing: Any, box: np.ndarray, colour: tuple[int, int, int]
) -> None:
    top, left, bottom, right = (int(round(edge)) for edge in box)
    draw = packages.pillow("ImageDraw").Draw(drawing)
    # A dark line on either side keeps the colour visible on any background.
    outer = (left - 1, top - 1, right + 1, bottom + 1)
    draw.rectangle(outer, outline=INK, width=5)
    draw.rectangle((left, top, right, bottom), outline=colour, width=3)


def _draw_label(
    drawing: Any,
    box: np.ndarray,
    text: str,
    colour: tuple[int, int, int],
    taken: Sequence[tuple[float, ...]],
) -> tuple[float, ...]:
    """Writes the text on a chip by the box; returns the chip's rectangle."""
    draw = packages.pillow("ImageDraw").Draw(drawing)
    font = load_font(FONT_SIZE)
    left, top, right, bottom = font.getbbox(text)
    width, height = right - left + 8, FONT_SIZE + 5
    chip = _free_place(box, width, height, drawing.size, taken)
    draw.rectangle(chip, fill=colour, outline=INK)
    draw.text(
        (chip[0] + 4 - left, (chip[1] + chip[3]) / 2),
        text,
        fill=_text_colour(colour),
        font=font,
        anchor="lm",
    )
    return chip


def _free_place(
    box: np.ndarray,
    width: float,
    height: float,
    size: tuple[int, int],
    taken: Sequence[tuple[float, ...]],
) -> tuple[float, ...]:
    """Above, below or inside the box, in the image, clear of other labels."""
    top, left, bottom, right = box
    places = [
        (x, y)
        for x in (left - 1, right + 1 - width)
        for y in (top - height, top + 3, bottom, bottom - height - 3)
    ]
    chips = []
    for x, y in places:
        inside_x = min(max(x, 0), max(size[0] - 1 - width, 0))
        inside_y = min(max(y, 0), max(size[1] - 1 - height, 0))
        chips.append((inside_x, inside_y, inside_x + width, inside_y + height))
    return min(chips, key=lambda chip: _total_overlap(chip, taken))


def _total_overlap(
    chip: tuple[float, ...], taken: Sequence[tuple[float, ...]]
) -> float:
    return sum(
        max(min(chip[2], other[2]) - max(chip[0], other[0]), 0)
        * max(min(chip[3], other[3]) - max(chip[1], other[1]), 0)
        for other in taken
    )


def _text_colour(background: tuple[int, int, int]) -> tuple[int, int, int]:
    # Luma of ITU-R BT.601; the darker blues and reds carry white text.
    luma = np.dot(background, (0.299, 0.587, 0.114))
    return INK if luma > 115 else PAPER
