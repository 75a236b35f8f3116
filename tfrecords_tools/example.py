"""One image with its boxes, checked and ready to be written.

Edges are fractions of the image's width and height: x grows rightward, y
downward, the image covers [0, 1] x [0, 1].
"""

import dataclasses
from collections.abc import Mapping, Sequence

from tfrecords_tools.record import Scalar

SIGNATURES = {"jpeg": b"\xff\xd8\xff", "png": b"\x89PNG"}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ExampleObject:
    """A box inside the image that encloses an area, with class and flags.

    Args: as of `AnnotatedObject`, but the edges are fractions and `area` is
        known, in pixels squared of the stored image.
    Raises: ValueError if the box leaves the image or has no area.
    """

    name: str
    label: int
    xmin: float
    ymin: float
    xmax: float
    ymax: float
    area: float
    difficult: bool = False
    truncated: bool = False
    occluded: int = 0
    is_crowd: bool = False
    group_of: bool = False
    extra: Mapping[str, Scalar] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        ordered_x = 0 <= self.xmin < self.xmax <= 1
        ordered_y = 0 <= self.ymin < self.ymax <= 1
        if not (ordered_x and ordered_y):
            raise ValueError(
                f"A box must lie inside its image, [0, 1] x [0, 1], and have "
                f"an area. Received (xmin, ymin, xmax, ymax): "
                f"{(self.xmin, self.ymin, self.xmax, self.ymax)} "
                f"({self.name})"
            )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """Encoded image bytes with the objects seen in them; there may be none.

    Args:
        encoded: bytes to be stored as they are.
        encoding: "jpeg" or "png", checked against the first bytes.
        width, height: of the decoded image, pixels.
        filename: relative path with "/".
        source_id: unique in its split; evaluators match images by it.
        objects: in the order in which they will be written.
        extra: further `image/<key>` features.
    Raises: ValueError if the bytes contradict `encoding`, or the size or the
        source_id is empty.
    """

    encoded: bytes
    encoding: str
    width: int
    height: int
    filename: str
    source_id: str
    objects: Sequence[ExampleObject] = ()
    extra: Mapping[str, Scalar] = dataclasses.field(default_factory=dict)

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
