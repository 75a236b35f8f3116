"""Statistics of records as a table that a person reads."""

from collections.abc import Iterator, Mapping
from typing import Any

_BAR = 40
_NAME = 28
_NOTHING = "-"


def format_table(summary: Mapping[str, Any]) -> str:
    """The summary of `Statistics` in lines of at most 80 columns or so."""
    return "\n".join(
        [
            *_describe_totals(summary),
            "",
            *_describe_classes(summary["classes"]),
            "",
            *_describe_boxes(summary),
            "",
            *_describe_images(summary),
        ]
    )


def _describe_totals(summary: Mapping[str, Any]) -> Iterator[str]:
    yield f"images                {summary['images']}"
    yield f"  without boxes       {summary['images_without_boxes']}"
    yield f"boxes                 {summary['boxes']}"
    for flag, count in summary["flags"].items():
        if count:
            share = _percent(count, summary["boxes"])
            yield f"  {flag:<18}  {count} ({share})"
    odd = {
        "unreadable_images": "images whose lists of objects disagree",
        "images_without_size": "images without stored size",
        "unusable_boxes": "boxes without area",
    }
    for key, text in odd.items():
        if summary[key]:
            yield f"look into             {summary[key]} {text} (see verify)"


def _describe_classes(classes: Mapping[str, int]) -> Iterator[str]:
    yield f"boxes per class, {len(classes)} classes"
    largest = max(classes.values(), default=0)
    width = min(_NAME, max(map(len, classes), default=0))
    for name, count in classes.items():
        # A class that occurs shows; one that does not shows nothing.
        length = -(-_BAR * count // largest) if largest else 0
        shown = _printable(name)
        yield f"  {shown:<{width}} {count:>8} {'#' * length}".rstrip()


def _describe_boxes(summary: Mapping[str, Any]) -> Iterator[str]:
    per_image = summary["boxes_per_image"]
    beyond = summary["beyond_max_number_of_boxes"]
    yield f"{'percentiles':<22}{_percentile_names(per_image['percentiles'])}"
    yield _percentile_row("boxes per image", per_image["percentiles"])
    yield _percentile_row(
        "side, % of image's", summary["box_side_percentiles"], factor=100
    )
    yield f"most boxes per image  {per_image['max']}"
    yield (
        f"beyond {beyond['limit']} boxes".ljust(22)
        + f"{beyond['boxes']} boxes ({100 * beyond['boxes_share']:.1f} %) in "
        f"{beyond['images']} images ({100 * beyond['images_share']:.1f} %)"
    )
    sizes = summary["coco_sizes"]
    total = sum(sizes.values())
    bounds = {
        "small": "area below 32 x 32 pixels",
        "medium": "below 96 x 96",
        "large": "the others",
    }
    for name, text in bounds.items():
        share = _percent(sizes[name], total)
        yield f"{name:<22}{sizes[name]} ({share}): {text}"


def _describe_images(summary: Mapping[str, Any]) -> Iterator[str]:
    sizes = summary["image_sizes"]
    formats = ", ".join(f"{n} {name}" for name, n in summary["formats"].items())
    mean = summary["encoded_bytes"] / max(summary["images"], 1) / 1024
    yield f"formats               {formats or _NOTHING}"
    yield (
        f"image files           {_mebibytes(summary['encoded_bytes'])} MiB, "
        f"{mean:.1f} KiB each on average"
    )
    yield f"record files          {_mebibytes(summary['file_bytes'])} MiB"
    yield f"{'percentiles':<22}{_percentile_names(sizes['width_percentiles'])}"
    yield _percentile_row("width, pixels", sizes["width_percentiles"])
    yield _percentile_row("height, pixels", sizes["height_percentiles"])
    yield f"different sizes       {sizes['different']}; most common:"
    for size in sizes["most_common"]:
        shown = f"{size['width']} x {size['height']}"
        yield f"  {shown:<20}{size['images']} images"


def _percentile_names(percentiles: Mapping[str, Any]) -> str:
    return "".join(f"{name + ' %':>9}" for name in percentiles)


def _percentile_row(
    title: str, percentiles: Mapping[str, Any], factor: int = 1
) -> str:
    cells = [
        _NOTHING if value is None else f"{round(factor * value, 1):g}"
        for value in percentiles.values()
    ]
    return f"{title:<22}" + "".join(f"{cell:>9}" for cell in cells)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "0 %"


def _mebibytes(number: int) -> str:
    return f"{number / 2**20:.1f}"


def _printable(name: str) -> str:
    """The name in one line of moderate length."""
    line = "".join(c if c.isprintable() else "?" for c in name)
    return line if len(line) <= _NAME else f"{line[: _NAME - 2]}.."
