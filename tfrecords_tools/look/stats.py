"""Counts and distributions of what records hold."""

import array
import collections
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tfrecords_tools.label_map import LabelMapItem
from tfrecords_tools.look.decode import detect_format
from tfrecords_tools.look.seen import (
    ClassNames,
    SeenBox,
    read_boxes,
    read_encoded,
    read_size,
)

PERCENTILES = (5, 25, 50, 75, 95)
FLAGS = ("difficult", "truncated", "occluded", "is_crowd", "group_of")
# COCO's bounds between small, medium and large, pixels squared.
_MEDIUM_AREA = 32**2
_LARGE_AREA = 96**2
_MOST_COMMON = 5


class Statistics:
    """Takes records one by one; what it keeps grows by the number of boxes.

    Args:
        label_map: gives names to labels, and lists classes without box.
        max_number_of_boxes: of the training, which cuts what is beyond.
    """

    def __init__(
        self,
        label_map: Sequence[LabelMapItem] = (),
        *,
        max_number_of_boxes: int = 100,
    ):
        self._names = ClassNames(label_map)
        self._limit = max_number_of_boxes
        self._classes = collections.Counter(
            dict.fromkeys((item.display_name for item in label_map), 0)
        )
        self._flags = collections.Counter(dict.fromkeys(FLAGS, 0))
        self._coco_sizes = collections.Counter(
            dict.fromkeys(("small", "medium", "large"), 0)
        )
        self._formats: collections.Counter[str] = collections.Counter()
        self._image_sizes: collections.Counter[tuple[int, int]] = (
            collections.Counter()
        )
        self._images = 0
        self._boxes_per_image = array.array("q")
        self._sides = array.array("f")
        self._odd = collections.Counter(
            dict.fromkeys(
                ("unreadable_images", "images_without_size", "unusable_boxes"),
                0,
            )
        )
        self._encoded_bytes = 0

    def add(self, example: Mapping[str, Sequence[Any]]) -> None:
        """Counts a record as `read_examples` gives it."""
        self._images += 1
        encoded = read_encoded(example)
        self._encoded_bytes += len(encoded)
        self._formats[detect_format(encoded) or "other"] += 1
        size = read_size(example)
        if size is None:
            self._odd["images_without_size"] += 1
        else:
            self._image_sizes[size] += 1
        try:
            boxes = read_boxes(example, self._names)
        except ValueError:
            self._odd["unreadable_images"] += 1
            return
        self._boxes_per_image.append(len(boxes))
        for box in boxes:
            self._add_box(box, size)

    def _add_box(self, box: SeenBox, size: tuple[int, int] | None) -> None:
        self._classes[box.name] += 1
        for flag in FLAGS:
            self._flags[flag] += bool(getattr(box, flag))
        if not box.encloses_area:
            self._odd["unusable_boxes"] += 1
            return
        share = (box.xmax - box.xmin) * (box.ymax - box.ymin)
        self._sides.append(share**0.5)
        if size is not None:
            self._coco_sizes[_coco_size(share * size[0] * size[1])] += 1

    def summary(self, *, file_bytes: int) -> dict[str, Any]:
        """Everything as plain values that JSON can hold.

        Images whose lists of objects disagree count as unreadable, and not
        among those with or without boxes. Shares are fractions; sides are
        square roots of a box's share of its image's area. A percentile of
        nothing is None.
        """
        per_image = np.array(self._boxes_per_image, dtype=np.int64)
        beyond = np.maximum(per_image - self._limit, 0)
        images, boxes = len(per_image), int(per_image.sum())
        return {
            "images": self._images,
            "boxes": boxes,
            "images_without_boxes": int((per_image == 0).sum()),
            **self._odd,
            "classes": dict(
                sorted(self._classes.items(), key=lambda kv: (-kv[1], kv[0]))
            ),
            "flags": dict(self._flags),
            "boxes_per_image": {
                "mean": boxes / images if images else None,
                "max": int(per_image.max(initial=0)),
                "percentiles": _percentiles(per_image),
            },
            "beyond_max_number_of_boxes": {
                "limit": self._limit,
                "images": int((beyond > 0).sum()),
                "images_share": _share(int((beyond > 0).sum()), images),
                "boxes": int(beyond.sum()),
                "boxes_share": _share(int(beyond.sum()), boxes),
            },
            "coco_sizes": dict(self._coco_sizes),
            "box_side_percentiles": _percentiles(np.array(self._sides)),
            "formats": dict(sorted(self._formats.items())),
            "image_sizes": self._summarize_image_sizes(),
            "encoded_bytes": self._encoded_bytes,
            "file_bytes": file_bytes,
        }

    def _summarize_image_sizes(self) -> dict[str, Any]:
        widths = np.array([size[0] for size in self._image_sizes.elements()])
        heights = np.array([size[1] for size in self._image_sizes.elements()])
        common = sorted(
            self._image_sizes.items(), key=lambda kv: (-kv[1], kv[0])
        )
        return {
            "different": len(self._image_sizes),
            "most_common": [
                {"width": width, "height": height, "images": count}
                for (width, height), count in common[:_MOST_COMMON]
            ],
            "width_percentiles": _percentiles(widths),
            "height_percentiles": _percentiles(heights),
        }


def _coco_size(area: float) -> str:
    if area < _MEDIUM_AREA:
        return "small"
    return "medium" if area < _LARGE_AREA else "large"


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _percentiles(values: np.ndarray) -> dict[str, float | None]:
    """Values that occur, none in between: the nearest rank from above."""
    if not len(values):
        return {str(percent): None for percent in PERCENTILES}
    found = np.percentile(values, PERCENTILES, method="inverted_cdf")
    return {
        str(percent): value.item()
        for percent, value in zip(PERCENTILES, found, strict=True)
    }
