"""Image files as records hold them: sniffed, checked, re-encoded if need be.

EXIF orientation is never applied: TensorFlow's decoder ignores it, so the
stored order of pixels is what is trained on.
"""

import dataclasses
import io
import re
import struct
import warnings
import zlib

import numpy as np
from PIL import Image, UnidentifiedImageError

from tfrecords_tools.errors import DatasetError
from tfrecords_tools.example import SIGNATURES

JPEG_QUALITY = 95
_KINDS = {
    **SIGNATURES,
    "png": b"\x89PNG\r\n\x1a\n",
    "gif": b"GIF8",
    "bmp": b"BM",
}
_EXIF_ORIENTATION = 0x0112
# A marker other than stuffed, restart and fill bytes ends coded data.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_END_OF_IMAGE = b"\xff\xd9"
_START_OF_SCAN = b"\xff\xda"
_FRAMES = {b"\xff\xc0", b"\xff\xc1", b"\xff\xc2"}
"""Baseline, extended and progressive; decoders know no other."""
_TABLES = {b"\xff\xdb", b"\xff\xc4", _START_OF_SCAN}
"""Quantisation, Huffman codes, and a scan that uses them."""
_PNG_BIT_DEPTH = 24
# Damage leads Pillow's decoders into almost any exception.
_DECODER_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)


class ImageError(DatasetError):
    """Bytes that TensorFlow could not decode, and why."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StoredImage:
    """What `image/encoded` will hold.

    Args:
        encoded: JPEG or RGB PNG.
        encoding: "jpeg" or "png".
        width, height: of the decoded image, pixels.
        original_size: (width, height) of the image as it came.
        re_encoded: what it was before ("GIF"), or None if stored as it came.
        exif_turned: whether viewers would turn or mirror it.
    """

    encoded: bytes
    encoding: str
    width: int
    height: int
    original_size: tuple[int, int]
    re_encoded: str | None = None
    exif_turned: bool = False


def store(data: bytes, *, max_side: int | None = None) -> StoredImage:
    """Decides by the first bytes what `data` is, and how it is stored.

    RGB and grey JPEGs and 8-bit RGB PNGs stay byte for byte unless they are
    larger than `max_side` pixels; everything else becomes an RGB JPEG.

    Raises: ImageError if the bytes are empty, cut off or of another kind.
    """
    kind = _sniff(data)
    with warnings.catch_warnings():
        # Complaints about EXIF blocks and sizes; what matters is checked.
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(data), formats=[kind]) as picture:
                return _store(picture, data, kind, max_side)
        except _DECODER_ERRORS as error:
            raise _as_image_error(error, kind) from error
        except Image.DecompressionBombError as error:
            raise ImageError(
                f"too large to be a photograph: {error}"
            ) from error


def _sniff(data: bytes) -> str:
    if not data:
        raise ImageError("empty file")
    for kind, signature in _KINDS.items():
        if data.startswith(signature):
            return kind
    raise ImageError(
        f"neither JPEG, PNG, GIF nor BMP: starts with {data[:8]!r}"
    )


def _as_image_error(error: Exception, kind: str) -> ImageError:
    if isinstance(error, ImageError):
        return error
    if isinstance(error, UnidentifiedImageError):
        return ImageError(f"damaged {kind.upper()}: unreadable header")
    problem = str(error) or type(error).__name__
    return ImageError(f"damaged {kind.upper()}: {problem}")


def _store(
    picture: Image.Image, data: bytes, kind: str, max_side: int | None
) -> StoredImage:
    turned = kind == "jpeg" and _is_turned(picture)
    too_large = max_side is not None and max(picture.size) > max_side
    reason = _reason_to_re_encode(picture, data, kind)
    if kind == "jpeg":
        _check_jpeg_markers(data)
    if kind == "png":
        _check_png_chunks(data)
        picture.load()  # Few datasets have any, so this may take its time.
    if reason is None and not too_large:
        return StoredImage(
            encoded=data,
            encoding=kind,
            width=picture.width,
            height=picture.height,
            original_size=picture.size,
            exif_turned=turned,
        )
    rgb = _to_rgb(picture)
    if max_side is not None and too_large:
        rgb = _shrink(rgb, max_side)
    file = io.BytesIO()
    rgb.save(file, "JPEG", quality=JPEG_QUALITY, subsampling="4:4:4")
    return StoredImage(
        encoded=file.getvalue(),
        encoding="jpeg",
        width=rgb.width,
        height=rgb.height,
        original_size=picture.size,
        re_encoded=reason or "larger than max_side",
        exif_turned=turned,
    )


def _reason_to_re_encode(
    picture: Image.Image, data: bytes, kind: str
) -> str | None:
    """What keeps the bytes from being stored as they are."""
    if kind == "jpeg":
        return None if picture.mode in ("RGB", "L") else f"{picture.mode} JPEG"
    if kind != "png":
        return kind.upper()
    depth = data[_PNG_BIT_DEPTH]
    if picture.mode != "RGB" or depth != 8:
        return f"{depth}-bit {picture.mode} PNG"
    return None


def _to_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):
        # Pillow would clip 16 bits at 255 instead of scaling them.
        high_bytes = np.asarray(picture).astype(np.uint32) >> 8
        picture = Image.fromarray(high_bytes.astype(np.uint8))
    return picture.convert("RGB")


def _shrink(picture: Image.Image, max_side: int) -> Image.Image:
    scale = max_side / max(picture.size)
    size = (
        max(1, round(picture.width * scale)),
        max(1, round(picture.height * scale)),
    )
    return picture.resize(size, Image.Resampling.LANCZOS)


def _is_turned(picture: Image.Image) -> bool:
    try:
        orientation = picture.getexif().get(_EXIF_ORIENTATION)
    except _DECODER_ERRORS:
        return False  # TensorFlow does not look into the block either.
    return orientation in range(2, 9)


def _check_jpeg_markers(data: bytes) -> None:
    """Whether all that a decoder needs is there, the end marker above all.

    TensorFlow refuses a file without it in the middle of a training. Walks
    the markers, since a thumbnail in the header has them too; what is coded
    between them only decoding can tell, which `verify` does.
    """
    position = 2
    seen: set[bytes] = set()
    while True:
        found = _MARKER.search(data, position)
        if found is None:
            raise ImageError("damaged JPEG: ends before its last marker")
        marker, position = found.group(), found.end()
        if marker == _END_OF_IMAGE:
            break
        if position + 2 > len(data):
            raise ImageError("damaged JPEG: ends before its last marker")
        position += int.from_bytes(data[position : position + 2], "big")
        seen.add(marker)
        if marker == _START_OF_SCAN and data.endswith(_END_OF_IMAGE):
            break  # Spares the walk through the coded data.
    if not (seen & _FRAMES and _TABLES <= seen):
        raise ImageError("damaged JPEG: without a frame, a scan or its tables")


def _check_png_chunks(data: bytes) -> None:
    position = len(_KINDS["png"])
    names = []
    while True:
        header = data[position : position + 8]
        if len(header) < 8:
            raise ImageError("damaged PNG: ends before its last chunk")
        length, name = struct.unpack(">I4s", header)
        end = position + 12 + length
        if end > len(data):
            raise ImageError("damaged PNG: ends before its last chunk")
        stated = int.from_bytes(data[end - 4 : end], "big")
        if zlib.crc32(data[position + 4 : end - 4]) != stated:
            raise ImageError(f"damaged PNG: checksum of chunk {name!r}")
        names.append(name)
        if name == b"IEND":
            break
        position = end
    if names[0] != b"IHDR" or b"IDAT" not in names:
        raise ImageError("damaged PNG: no header or no pixels")
