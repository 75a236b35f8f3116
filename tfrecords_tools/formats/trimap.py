"""Trimaps of Oxford-IIIT Pet: PNGs of 1 (pet), 2 (background), 3 (border)."""

import dataclasses
import io
import struct
import warnings
import zlib
from pathlib import Path

from PIL import Image

from tfrecords_tools.errors import MissingDataError, ParseError

BACKGROUND = 2
_VALUES = (1, BACKGROUND, 3)

_UNREADABLE = (
    EOFError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
    OSError,
    OverflowError,
    SyntaxError,
    ValueError,
    struct.error,
    zlib.error,
)


@dataclasses.dataclass(frozen=True, slots=True)
class Trimap:
    """What a trimap says about its image.

    Args:
        size: (width, height) in pixels.
        extent: continuous edges (xmin, ymin, xmax, ymax) around the pixels
            that are not background; None if there are none.
    """

    size: tuple[int, int]
    extent: tuple[int, int, int, int] | None


def read_trimap(path: Path) -> Trimap:
    """Raises: MissingDataError; ParseError if it is no PNG of 1, 2 and 3."""
    image = _decode(path)
    if image.mode not in ("L", "P"):
        raise ParseError(
            path,
            "",
            f"A trimap must have one channel of 8 bits. Received mode: "
            f"{image.mode}",
        )
    values = {value for _, value in image.getcolors(256) or ()}
    if not values <= set(_VALUES):
        raise ParseError(
            path,
            "",
            f"A trimap's pixels must be 1, 2 or 3. Received: "
            f"{min(values - set(_VALUES))}",
        )
    animal = image.point([value != BACKGROUND for value in range(256)])
    return Trimap(image.size, animal.getbbox())


def _decode(path: Path) -> Image.Image:
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise MissingDataError(
            f"The trimap of a listed image must exist. Received: none ({path})"
        ) from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=["PNG"])
            image.load()
    except _UNREADABLE as error:
        raise ParseError(
            path, "", f"A trimap must be a PNG. Received: {error}"
        ) from error
    return image
