"""Image bytes to pixels; whatever is wrong with them is one ValueError."""

import contextlib
import io
import warnings
from collections.abc import Iterator

from PIL import Image

from tfrecords_tools.example import SIGNATURES

# What TensorFlow's decoder of the OD API takes, and nothing beyond.
_FORMATS = ("JPEG", "PNG", "GIF", "BMP")


def detect_format(encoded: bytes) -> str:
    """ "jpeg" or "png" by the first bytes; "" for anything else."""
    for name, signature in SIGNATURES.items():
        if encoded.startswith(signature):
            return name
    return ""


def read_header(encoded: bytes) -> tuple[tuple[int, int], str]:
    """((width, height), Pillow's mode) without decoding the pixels.

    Raises: ValueError.
    """
    with _open(encoded) as picture:
        return picture.size, picture.mode


def check_pixels(encoded: bytes) -> None:
    """Decodes every pixel.

    Raises: ValueError.
    """
    with _open(encoded) as picture:
        picture.load()


def thumbnail(encoded: bytes, side: int) -> Image.Image:
    """RGB picture that fits a square of `side` pixels, enlarged if smaller.

    Orientation tags are left alone, as TensorFlow's decoder does. JPEG files
    are decoded at the least scale that suffices.

    Raises: ValueError.
    """
    with _open(encoded) as picture:
        scale = side / max(picture.size)
        width, height = (max(1, round(n * scale)) for n in picture.size)
        picture.draft("RGB", (2 * width, 2 * height))
        return picture.convert("RGB").resize(
            (width, height), Image.Resampling.LANCZOS
        )


@contextlib.contextmanager
def _open(encoded: bytes) -> Iterator[Image.Image]:
    try:
        with warnings.catch_warnings():
            # Large photographs are no attack; Pillow still refuses absurd
            # ones, and broken metadata shows in the pixels or not at all.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(encoded), formats=_FORMATS) as picture:
                yield picture
    except Image.UnidentifiedImageError as error:
        raise ValueError(
            f"The image must be a JPEG or PNG file. Received: {len(encoded)} "
            f"bytes starting with {encoded[:4]!r}"
        ) from error
    # Broken data raise OSError, SyntaxError, struct.error, IndexError and
    # more, depending on the plugin and its version.
    except Exception as error:
        raise ValueError(
            f"The image must be decodable. Received: {error}"
        ) from error
