"""What the annotations of a dataset say about one image, as they say it.

Converters yield these and nothing else. `prepare.py` reads the image, turns
the edges into fractions, clips, drops and counts, in one place for all
datasets.
"""

import dataclasses
import enum
import math
from collections.abc import Mapping
from pathlib import Path

Scalar = int | float | str


class EdgeRule(enum.Enum):
    """How an annotation's four numbers become edges of a box."""

    PIXELS = "pixels"
    """Continuous pixels from 0; `xmax - xmin` is the width."""
    ONE_BASED_INCLUSIVE = "one_based_inclusive"
    """Pixels counted from 1, the last one belongs to the box (Pascal VOC)."""
    FRACTIONS = "fractions"
    """Fractions of the image's width and height (Open Images)."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class AnnotatedObject:
    """A box with its class and the flags that evaluators look at.

    Args:
        name: class, as the label map's `name` spells it.
        label: id of the class in the label map, 1 or more.
        xmin, ymin, xmax, ymax: as annotated; `AnnotatedImage.edge_rule` says
            what they mean. They may leave the image or enclose no area.
        area: pixels squared; None stands for the area of the box.
        difficult: Pascal's flag; ignored by its evaluator.
        truncated: the object goes on beyond the frame.
        occluded: 0 for visible; else 1, or the dataset's own scale.
        is_crowd: COCO's flag; an ignore region.
        group_of: Open Images' flag; one box around several objects.
        extra: values of the converter's own `object_columns`.
    Raises: ValueError if name, label or an edge is unusable.
    """

    name: str
    label: int
    xmin: float
    ymin: float
    xmax: float
    ymax: float
    area: float | None = None
    difficult: bool = False
    truncated: bool = False
    occluded: int = 0
    is_crowd: bool = False
    group_of: bool = False
    extra: Mapping[str, Scalar] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("An object's `name` must not be empty.")
        if self.label < 1:
            raise ValueError(
                f"The label of {self.name!r} must be 1 or more (0 is the "
                f"background). Received: {self.label}"
            )
        if not all(map(_is_finite, self.edges)):
            raise ValueError(
                f"The edges of {self.name!r} must be finite. Received "
                f"(xmin, ymin, xmax, ymax): {self.edges}"
            )
        if self.area is not None and not _is_finite(self.area):
            raise ValueError(
                f"The area of {self.name!r} must be finite. Received: "
                f"{self.area}"
            )

    @property
    def edges(self) -> tuple[float, float, float, float]:
        """(xmin, ymin, xmax, ymax)."""
        return self.xmin, self.ymin, self.xmax, self.ymax


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class AnnotatedImage:
    """An image file with the objects annotated in it; there may be none.

    Args:
        path: the image file, not opened yet.
        filename: relative path with "/", for `image/filename`.
        source_id: unique in its split; evaluators match images by it.
        objects: in the order in which they will be written.
        edge_rule: what the edges of the objects mean.
        size: (width, height) in pixels as annotated; None where the
            annotations say nothing. Compared with the decoded image.
        dropped: number of annotated boxes that the converter leaves out, by
            reason in plain words ("unknown class").
        remarks: what a person should look at, in plain words, counted by
            kind over the dataset ("class differs from the list").
        extra: values of the converter's own `image_columns`.
    Raises: ValueError if the source_id or filename is empty.
    """

    path: Path
    filename: str
    source_id: str
    objects: tuple[AnnotatedObject, ...] = ()
    edge_rule: EdgeRule = EdgeRule.PIXELS
    size: tuple[int, int] | None = None
    dropped: Mapping[str, int] = dataclasses.field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    extra: Mapping[str, Scalar] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.source_id or not self.filename:
            raise ValueError(
                f"`source_id` and `filename` must not be empty: evaluators "
                f"match images by the former. Received: {self.source_id!r}, "
                f"{self.filename!r} ({self.path})"
            )


def _is_finite(value: float) -> bool:
    """Also for integers that no float can hold."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False
