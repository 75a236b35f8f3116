"""One annotated image, in the form that every converter hands to the writer.

Edges are continuous pixels: x grows rightward, y downward, the image covers
[0, width] x [0, height], and `xmax - xmin` is the width with no "+ 1". The
writer normalises, in one place for all datasets.
"""

import dataclasses
import math

SIGNATURES = {"jpeg": b"\xff\xd8\xff", "png": b"\x89PNG"}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class AnnotatedObject:
    """A box with its class and the flags that evaluators look at.

    Args:
        name: class, as the label map's `name` spells it.
        label: id of the class in the label map, 1 or more.
        xmin, ymin, xmax, ymax: edges, continuous pixels of the image.
        area: pixels squared; None stands for the area of the box.
        difficult: Pascal's flag; ignored by its evaluator.
        truncated: the object goes on beyond the frame.
        is_crowd: COCO's flag; an ignore region.
        group_of: Open Images' flag; one box around several objects.
    Raises: ValueError if name or label is unusable, or the box has no area.
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
    is_crowd: bool = False
    group_of: bool = False

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("An object's `name` must not be empty.")
        if self.label < 1:
            raise ValueError(
                f"The label of {self.name!r} must be 1 or more (0 is the "
                f"background). Received: {self.label}"
            )
        if not all(map(math.isfinite, self.edges)):
            raise ValueError(
                f"The edges of {self.name!r} must be finite. Received: "
                f"{self.edges}"
            )
        if self.xmax <= self.xmin or self.ymax <= self.ymin:
            raise ValueError(
                f"The box of {self.name!r} must have a positive width and "
                f"height. Received (xmin, ymin, xmax, ymax): {self.edges}"
            )

    @property
    def edges(self) -> tuple[float, float, float, float]:
        """(xmin, ymin, xmax, ymax)."""
        return self.xmin, self.ymin, self.xmax, self.ymax

    @property
    def box_area(self) -> float:
        """Area of the box in pixels squared."""
        return (self.xmax - self.xmin) * (self.ymax - self.ymin)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class AnnotatedImage:
    """Encoded image bytes with the objects seen in them; there may be none.

    Args:
        encoded: the file's bytes, stored as they are.
        encoding: "jpeg" or "png", checked against the first bytes.
        width, height: of the decoded image, pixels.
        filename: relative path with "/".
        source_id: unique in its split; evaluators match images by it.
        objects: in the order in which they will be written.
    Raises: ValueError if the bytes contradict `encoding`, the size or the
        source_id is empty, or a box leaves the image.
    """

    encoded: bytes
    encoding: str
    width: int
    height: int
    filename: str
    source_id: str
    objects: tuple[AnnotatedObject, ...] = ()

    def __post_init__(self) -> None:
        if not self.source_id:
            raise ValueError(
                f"`source_id` must not be empty: evaluators match images by "
                f"it. Received: '' ({self.filename})"
            )
        if self.encoding not in SIGNATURES:
            raise ValueError(
                f"`encoding` must be one of {', '.join(SIGNATURES)}. "
                f"Received: {self.encoding!r} ({self.filename})"
            )
        if not self.encoded.startswith(SIGNATURES[self.encoding]):
            raise ValueError(
                f"`encoded` must hold the {self.encoding} file that "
                f"`encoding` announces. Received bytes starting with "
                f"{self.encoded[:4]!r} ({self.filename})"
            )
        if self.width < 1 or self.height < 1:
            raise ValueError(
                f"An image's size must be positive. Received: "
                f"{self.width} x {self.height} ({self.filename})"
            )
        for box in self.objects:
            self._check_inside(box)

    def _check_inside(self, box: AnnotatedObject) -> None:
        inside_x = 0 <= box.xmin and box.xmax <= self.width
        inside_y = 0 <= box.ymin and box.ymax <= self.height
        if not (inside_x and inside_y):
            raise ValueError(
                f"A box must lie inside its image of {self.width} x "
                f"{self.height} pixels; clip it first. Received (xmin, ymin, "
                f"xmax, ymax): {box.edges} ({self.filename})"
            )
