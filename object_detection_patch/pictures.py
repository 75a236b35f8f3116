"""Pictures of what was detected, which gates are open and what it cost.

Images are uint8 arrays [height, width, 3] in RGB. Equal input gives equal
pixels with one version of Pillow and Matplotlib. Both come with the `[train]`
extra and are imported when a picture is drawn.
"""

from __future__ import annotations

import importlib
import math
import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

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

GateRow = tuple[str, str, bool, int]
"""Layer name, place in the model, gate open, parameters of its kernel."""

_INK = (34, 34, 34)
_PAPER = (255, 255, 255)
_READABLE_SIDE = 360  # pixels; smaller images are enlarged before labelling
_LARGEST_ENLARGEMENT = 4
_FONT_SIZE = 15
_DOTS_PER_INCH = 120
_MOST_NAMED_LAYERS = 30  # more names do not fit under the bars of a chart


# --- detections -------------------------------------------------------------


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
    image = _checked_image("image", image)
    boxes, classes, shown = _checked_detections(boxes, classes, scores)
    drawing = _pillow("Image").fromarray(image)
    factor = _enlargement(*drawing.size)
    if factor > 1:
        drawing = drawing.resize(
            (drawing.width * factor, drawing.height * factor),
            _pillow("Image").Resampling.BICUBIC,
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


def _enlargement(width: int, height: int) -> int:
    wanted = math.ceil(_READABLE_SIDE / max(width, height))
    return min(max(wanted, 1), _LARGEST_ENLARGEMENT)


def _colour(class_id: int) -> tuple[int, int, int]:
    return PALETTE[(class_id - 1) % len(PALETTE)]


def _draw_box(
    drawing: Any, box: np.ndarray, colour: tuple[int, int, int]
) -> None:
    top, left, bottom, right = (int(round(edge)) for edge in box)
    draw = _pillow("ImageDraw").Draw(drawing)
    # A dark line on either side keeps the colour visible on any background.
    outer = (left - 1, top - 1, right + 1, bottom + 1)
    draw.rectangle(outer, outline=_INK, width=5)
    draw.rectangle((left, top, right, bottom), outline=colour, width=3)


def _draw_label(
    drawing: Any,
    box: np.ndarray,
    text: str,
    colour: tuple[int, int, int],
    taken: Sequence[tuple[float, ...]],
) -> tuple[float, ...]:
    """Writes the text on a chip by the box; returns the chip's rectangle."""
    draw = _pillow("ImageDraw").Draw(drawing)
    font = _font(_FONT_SIZE)
    left, top, right, bottom = font.getbbox(text)
    width, height = right - left + 8, _FONT_SIZE + 5
    chip = _free_place(box, width, height, drawing.size, taken)
    draw.rectangle(chip, fill=colour, outline=_INK)
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
    return _INK if luma > 115 else _PAPER


# --- sheets -----------------------------------------------------------------


def side_by_side(
    rows: Sequence[Sequence[np.ndarray]],
    column_titles: Sequence[str],
    row_titles: Sequence[str],
) -> np.ndarray:
    """A sheet of images in rows and columns, titles above and at the left.

    Args:
      rows: as many images in each row as there are column titles. Images may
        differ in size; each is centred in its cell.
      column_titles: one per column.
      row_titles: one per row.
    Raises:
      ValueError: no image, or counts that disagree.
      ImportError: without Pillow.
    """
    _check_sheet(rows, column_titles, row_titles)
    images = [
        [
            _checked_image(f"rows[{r}][{c}]", image)
            for c, image in enumerate(row)
        ]
        for r, row in enumerate(rows)
    ]
    font, gap = _font(_FONT_SIZE + 2), 10
    line = _FONT_SIZE + 12
    heading = line * max(title.count("\n") + 1 for title in column_titles)
    margin = max(_text_width(font, title) for title in row_titles) + gap
    widths = [
        max(
            _text_width(font, title),
            max(row[c].shape[1] for row in images),
        )
        for c, title in enumerate(column_titles)
    ]
    heights = [max(image.shape[0] for image in row) for row in images]
    sheet = _pillow("Image").new(
        "RGB",
        (
            margin + sum(width + gap for width in widths) + gap,
            heading + sum(height + gap for height in heights),
        ),
        _PAPER,
    )
    draw = _pillow("ImageDraw").Draw(sheet)
    lefts = [
        margin + gap + sum(widths[:c]) + gap * c for c in range(len(widths))
    ]
    tops = [heading + sum(heights[:r]) + gap * r for r in range(len(heights))]
    for left, width, title in zip(lefts, widths, column_titles, strict=True):
        centre = (left + width / 2, heading / 2)
        draw.text(
            centre, title, fill=_INK, font=font, anchor="mm", align="center"
        )
    for top, height, title in zip(tops, heights, row_titles, strict=True):
        draw.text(
            (gap, top + height / 2), title, fill=_INK, font=font, anchor="lm"
        )
    for row, top, height in zip(images, tops, heights, strict=True):
        for image, left, width in zip(row, lefts, widths, strict=True):
            corner = (
                left + (width - image.shape[1]) // 2,
                top + (height - image.shape[0]) // 2,
            )
            sheet.paste(_pillow("Image").fromarray(image), corner)
    return np.asarray(sheet).copy()


def save_png(path: str | os.PathLike[str], image: np.ndarray) -> None:
    """Writes a PNG beside its target and renames it: never half a file.

    Raises:
      ValueError: not an image.
      OSError: the folder is missing or full; an older file stays as it was.
      ImportError: without Pillow.
    """
    picture = _pillow("Image").fromarray(_checked_image("image", image))
    target = pathlib.Path(path)
    beside = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        with open(beside, "wb") as file:
            picture.save(file, format="PNG")
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


# --- gates ------------------------------------------------------------------


def gate_chart(rows: Sequence[GateRow], *, title: str) -> np.ndarray:
    """The gates of one patch over the layers, from input to head.

    A bar per layer, its height the logarithm of the kernel's parameters, its
    colour the layer's place. An open gate is a full bar over a black square; a
    closed one is an outline over nothing, so that no colour is needed.

    Args:
      rows: (layer name, place, open, parameters), in order of the network.
      title: stands above; the count of open gates is added.
    Raises:
      ValueError: no rows, or a layer with less than one parameter.
      ImportError: without Matplotlib.
    """
    return gate_comparison({title: rows})


def gate_comparison(charts: Mapping[str, Sequence[GateRow]]) -> np.ndarray:
    """Gates of several patches, one chart above the other, on one scale.

    Args:
      charts: title -> rows as in `gate_chart`, of the same layers.
    Raises:
      ValueError: nothing to draw, rows `gate_chart` refuses, or charts of
        different layers: one below the other they would mislead.
      ImportError: without Matplotlib.
    """
    if not charts:
        raise ValueError("`charts` must hold at least one. Received: none")
    for title, rows in charts.items():
        _check_gates(title, rows)
    layers = _common_layers(charts)
    tallest = max(row[3] for rows in charts.values() for row in rows)
    places = list(dict.fromkeys(r[1] for rows in charts.values() for r in rows))
    named = len(layers) <= _MOST_NAMED_LAYERS
    height = 2.1 * len(charts) + (1.9 if named else 0.9)
    figure = _figure(10.0, height)
    axes = figure.subplots(len(charts), 1, sharex=True, squeeze=False)[:, 0]
    for axis, (title, rows) in zip(axes, charts.items(), strict=True):
        _draw_gates(axis, title, rows, places)
        axis.set_xlim(-0.8, len(layers) - 0.2)
        axis.set_ylim(0.12, max(tallest, 10) * 2)
    if named:
        axes[-1].set_xticks(
            range(len(layers)),
            labels=layers,
            rotation=40,
            ha="right",
            fontsize=6.5,
        )
    else:
        axes[-1].set_xlabel("host layer, from input to head", fontsize=8)
    _gate_legend(figure, places)
    return _rendered(figure)


def _draw_gates(
    axis: Any, title: str, rows: Sequence[GateRow], places: Sequence[str]
) -> None:
    axis.set_yscale("log")
    for index, (_, place, is_open, parameters) in enumerate(rows):
        colour = _fraction(PALETTE[places.index(place) % len(PALETTE)])
        axis.bar(
            index,
            parameters - 0.8,
            bottom=0.8,
            width=0.78,
            facecolor=colour if is_open else "none",
            edgecolor=colour,
            linewidth=1.0,
        )
    opened = [i for i, row in enumerate(rows) if row[2]]
    axis.plot(opened, [0.33] * len(opened), "s", color="black", markersize=4.5)
    axis.axhline(0.8, color="0.6", linewidth=0.6)
    share = 100 * len(opened) / len(rows)
    axis.set_title(
        f"{title}: {len(opened)} of {len(rows)} gates open ({share:.0f} %)",
        loc="left",
        fontsize=10,
    )
    axis.set_ylabel("parameters", fontsize=8)
    axis.tick_params(labelsize=7)
    axis.minorticks_off()
    axis.set_yticks([1, 100, 10_000], labels=["1", "100", "10 k"])


def _gate_legend(figure: Any, places: Sequence[str]) -> None:
    patch = _matplotlib("patches").Patch
    handles = [
        patch(color=_fraction(PALETTE[i % len(PALETTE)]), label=place)
        for i, place in enumerate(places)
    ]
    handles += [
        patch(facecolor="0.5", edgecolor="0.3", label="gate open (■ below)"),
        patch(facecolor="none", edgecolor="0.3", label="gate closed"),
    ]
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=len(handles),
        fontsize=8,
        frameon=False,
    )


# --- costs ------------------------------------------------------------------


def cost_scatter(
    points: Mapping[str, Mapping[str, tuple[float, int]]], *, title: str
) -> np.ndarray:
    """mAP over the bytes of a patch file, one panel per task, bytes in log.

    Args:
      points: task -> method -> (mAP in [0, 1], file bytes).
      title: stands above the panels.
    Raises:
      ValueError: nothing to draw, a mAP outside [0, 1], bytes below 1.
      ImportError: without Matplotlib.
    """
    _check_panels(points)
    for task, methods in points.items():
        for method, (value, file_bytes) in methods.items():
            _check_map(task, method, value)
            if not file_bytes >= 1:
                raise ValueError(
                    f"File bytes must be at least 1. Received: {file_bytes} "
                    f"for {method!r} on {task!r}"
                )
    colours = _method_colours(points)
    figure, axes = _panels(len(points), title)
    markers = dict(zip(colours, "osD^vP*X<>" * len(colours), strict=False))
    for axis, (task, methods) in zip(axes, points.items(), strict=True):
        for method, (value, file_bytes) in methods.items():
            axis.plot(
                file_bytes,
                value,
                markers[method],
                color=colours[method],
                markeredgecolor="0.2",
                markersize=8,
                label=method,
            )
        axis.set_title(task, fontsize=10)
        axis.set_xscale("log")
        axis.set_xlabel("file bytes", fontsize=8)
        axis.grid(True, color="0.9")
        axis.set_axisbelow(True)
        axis.tick_params(labelsize=8)
        axis.xaxis.set_major_formatter(_bytes_text)
    all_bytes = [b for panel in points.values() for _, b in panel.values()]
    # Whole decades, so that there are always two labelled ticks.
    axes[0].set_xlim(
        10 ** math.floor(math.log10(0.8 * min(all_bytes))),
        10 ** math.ceil(math.log10(1.25 * max(all_bytes))),
    )
    axes[0].set_ylabel("mAP", fontsize=8)
    axes[0].set_ylim(0, 1.02)
    line = _matplotlib("lines").Line2D
    figure.legend(
        handles=[
            line(
                [],
                [],
                marker=markers[method],
                color=colour,
                markeredgecolor="0.2",
                linestyle="",
                label=method,
            )
            for method, colour in colours.items()
        ],
        loc="outside lower center",
        ncols=min(len(colours), 4),
        fontsize=8,
        frameon=False,
    )
    return _rendered(figure)


def _bytes_text(value: float, _position: int) -> str:
    for factor, unit in ((10**6, "MB"), (10**3, "kB")):
        if value >= factor:
            return f"{value / factor:g} {unit}"
    return f"{value:g} B"


def _method_colours(
    panels: Mapping[str, Mapping[str, Any]],
) -> dict[str, tuple[float, ...]]:
    methods = dict.fromkeys(m for panel in panels.values() for m in panel)
    return {
        method: _fraction(PALETTE[i % len(PALETTE)])
        for i, method in enumerate(methods)
    }


# --- Matplotlib and Pillow --------------------------------------------------


def _panels(count: int, title: str) -> tuple[Any, Sequence[Any]]:
    """A figure with `count` axes on one scale, at most three in a row."""
    columns = min(count, 3)
    rows = math.ceil(count / columns)
    figure = _figure(3.6 * columns + 0.6, 3.0 * rows + 0.7)
    figure.suptitle(title, fontsize=12)
    axes = figure.subplots(
        rows, columns, squeeze=False, sharex=True, sharey=True
    ).ravel()
    for unused in axes[count:]:
        unused.set_visible(False)
    return figure, axes[:count]


def _figure(width: float, height: float) -> Any:
    """A figure of its own: pyplot's global state is not touched."""
    return _matplotlib("figure").Figure(
        figsize=(width, height), dpi=_DOTS_PER_INCH, layout="constrained"
    )


def _rendered(figure: Any) -> np.ndarray:
    canvas = _matplotlib("backends.backend_agg").FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _fraction(colour: tuple[int, int, int]) -> tuple[float, ...]:
    return tuple(channel / 255 for channel in colour)


def _font(size: int) -> Any:
    return _pillow("ImageFont").load_default(size)


def _text_width(font: Any, text: str) -> int:
    return math.ceil(max(font.getlength(line) for line in text.split("\n")))


def _pillow(module: str) -> Any:
    return _imported("PIL", module, "Pillow")


def _matplotlib(module: str) -> Any:
    return _imported("matplotlib", module, "Matplotlib")


def _imported(package: str, module: str, name: str) -> Any:
    try:
        return importlib.import_module(f"{package}.{module}")
    except ImportError as error:
        raise ImportError(
            f"Pictures need {name}: pip install 'object_detection_patch[train]'"
        ) from error


# --- checks -----------------------------------------------------------------


def _checked_image(name: str, image: np.ndarray) -> np.ndarray:
    array = np.asarray(image)
    valid = array.ndim == 3 and array.shape[2] == 3 and array.size
    if not valid or array.dtype != np.uint8:
        raise ValueError(
            f"`{name}` must be uint8 of shape [height, width, 3]. Received: "
            f"{array.dtype} of shape {list(array.shape)}"
        )
    return array


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


def _check_sheet(
    rows: Sequence[Sequence[np.ndarray]],
    column_titles: Sequence[str],
    row_titles: Sequence[str],
) -> None:
    counts = [len(row) for row in rows]
    if not column_titles or not rows:
        raise ValueError(
            "A sheet needs at least one image. Received: "
            f"{len(rows)} rows, {len(column_titles)} column titles"
        )
    if len(rows) != len(row_titles) or set(counts) != {len(column_titles)}:
        raise ValueError(
            "Rows and columns must match their titles. Received: rows of "
            f"{counts} images, {len(row_titles)} row titles, "
            f"{len(column_titles)} column titles"
        )


def _check_gates(title: str, rows: Sequence[GateRow]) -> None:
    if not rows:
        raise ValueError(
            f"A gate chart needs a layer. Received: none, {title!r}"
        )
    for name, _, _, parameters in rows:
        if not parameters >= 1:
            raise ValueError(
                "A layer's parameters must be at least 1. Received: "
                f"{parameters} for {name!r} in {title!r}"
            )


def _common_layers(charts: Mapping[str, Sequence[GateRow]]) -> list[str]:
    layers = {title: [row[0] for row in rows] for title, rows in charts.items()}
    first, expected = next(iter(layers.items()))
    for title, names in layers.items():
        if names != expected:
            odd = sorted(set(names) ^ set(expected)) or "another order"
            raise ValueError(
                "Gates are compared over the same layers in the same order. "
                f"Received: {title!r} and {first!r} differ in {odd}"
            )
    return expected


def _check_panels(panels: Mapping[str, Mapping[str, Any]]) -> None:
    empty = [task for task, methods in panels.items() if not methods]
    if empty or not panels:
        raise ValueError(
            "Every panel needs a method, and a chart a panel. Received: "
            f"{len(panels)} panels, empty: {empty}"
        )


def _check_map(task: str, method: str, value: float) -> None:
    if not 0.0 <= value <= 1.0:
        raise ValueError(
            "mAP must lie in [0, 1] (divide percent by 100). Received: "
            f"{value} for {method!r} on {task!r}"
        )
