"""What must hold for the image of a record, apart from its objects."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from tfrecords_tools import images
from tfrecords_tools.look.decode import check_pixels, detect_format, read_header
from tfrecords_tools.look.faults import describe_kind, fault, is_utf8, shorten
from tfrecords_tools.reader import Column

_KEYS = {
    "image/encoded": "bytes",
    "image/format": "bytes",
    "image/height": "int64",
    "image/width": "int64",
    "image/filename": "bytes",
    "image/source_id": "bytes",
    "image/key/sha256": "bytes",
}
_TEXTS = (
    "image/format",
    "image/filename",
    "image/source_id",
    "image/key/sha256",
)


def find_image_faults(
    columns: Mapping[str, Column], *, decode_pixels: bool
) -> Iterator[str]:
    """One sentence per broken rule; what is missing is not judged further.

    Args:
        decode_pixels: decode the whole image, rather than its header alone.
    """
    yield from _find_shape_faults(columns)
    values = single_values(columns)
    yield from _find_text_faults(values)
    encoded = values.get("image/encoded")
    if encoded == b"":
        yield fault("image/encoded must not be empty", encoded)
    elif encoded is not None:
        yield from _find_byte_faults(encoded, values)
        yield from _find_pixel_faults(encoded, values, decode_pixels)


def single_values(columns: Mapping[str, Column]) -> dict[str, Any]:
    """The values of the keys that have one value of the right kind."""
    return {
        key: columns[key].values[0]
        for key, kind in _KEYS.items()
        if key in columns
        and columns[key].kind == kind
        and len(columns[key].values) == 1
    }


def _find_shape_faults(columns: Mapping[str, Column]) -> Iterator[str]:
    for key, kind in _KEYS.items():
        column = columns.get(key)
        if column is None:
            yield f"A record must have {key}. Received: none"
        elif column.kind != kind or len(column.values) != 1:
            received = describe_kind(column)
            yield f"{key} must be one {kind} value. Received: {received}"


def _find_text_faults(values: Mapping[str, Any]) -> Iterator[str]:
    for key in _TEXTS:
        if key in values and not is_utf8(values[key]):
            yield fault(f"{key} must be UTF-8", values[key])
    if values.get("image/source_id") == b"":
        yield fault(
            "image/source_id must not be empty: evaluators match images by it",
            b"",
        )
    filename = values.get("image/filename")
    if filename is not None and not _is_relative(filename):
        yield fault('image/filename must be a relative path with "/"', filename)


def _find_byte_faults(
    encoded: bytes, values: Mapping[str, Any]
) -> Iterator[str]:
    announced = values.get("image/format")
    found = detect_format(encoded)
    if announced not in (None, b"jpeg", b"png"):
        yield fault("image/format must be jpeg or png", announced)
    elif announced is not None and found not in ("", announced.decode()):
        yield fault(
            f"image/encoded must be the {announced.decode()} file that "
            f"image/format announces",
            encoded[:4],
        )
    digest = hashlib.sha256(encoded).hexdigest()
    stored = values.get("image/key/sha256")
    if stored is not None and stored != digest.encode():
        yield fault(
            f"image/key/sha256 must be that of image/encoded, {digest[:8]}...",
            stored,
        )


def _find_pixel_faults(
    encoded: bytes, values: Mapping[str, Any], decode_pixels: bool
) -> Iterator[str]:
    if not detect_format(encoded):
        yield fault("image/encoded must be a JPEG or PNG file", encoded[:8])
        return
    try:
        kept = images.store(encoded)
        size, mode = read_header(encoded)
        if decode_pixels:
            check_pixels(encoded)
    except ValueError as error:
        rule = "The image must be decodable. Received: "
        yield rule + shorten(str(error).removeprefix(rule))
        return
    if kept.re_encoded and mode != "L":
        yield (
            f"The image must have 8 bits and 3 channels, or be greyscale. "
            f"Received: {kept.re_encoded}"
        )
    yield from _find_size_faults(size, values)


def _find_size_faults(
    size: tuple[int, int], values: Mapping[str, Any]
) -> Iterator[str]:
    for key, side in zip(("image/width", "image/height"), size, strict=True):
        if key in values and values[key] != side:
            yield (
                f"{key} must be that of the decoded image, {side}. "
                f"Received: {values[key]}"
            )


def _is_relative(filename: bytes) -> bool:
    absolute = filename.startswith(b"/") or b"\\" in filename
    return bool(filename) and not absolute
