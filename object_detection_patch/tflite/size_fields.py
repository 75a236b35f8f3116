"""The input sizes of a sidecar's body, in the order of FORMAT.md."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

from object_detection_patch.tflite import limits
from object_detection_patch.tflite.errors import require
from object_detection_patch.tflite.fields import FieldReader, FieldWriter
from object_detection_patch.tflite.sidecar import InputSize, Sidecar, Vector

# Height, width, SHA-256, and two numbers of entries.
_FIXED_BYTES = 4 + 4 + limits.DIGEST_BYTES + 4 + 4


def read_sizes(
    fields: FieldReader, vectors: Sequence[Vector]
) -> tuple[tuple[int, int], tuple[InputSize, ...]]:
    """Height and width of the base itself, and its other sizes.

    Raises:
      SidecarError: for a field that is out of range.
    """
    own = _side(fields), _side(fields)
    count = fields.u32("the number of sizes", limits.MAX_SIZES, 1)
    return own, tuple(_size(fields, vectors) for _ in range(count))


def write_sizes(out: FieldWriter, sidecar: Sidecar) -> None:
    """Raises SidecarError for what has no place in the fields."""
    require(
        sidecar.image_size is not None,
        "a base with other sizes must have its own",
        None,
    )
    out.u32(*(sidecar.image_size or ()))
    out.u32(len(sidecar.sizes))
    for size in sidecar.sizes:
        _write_size(out, size, sidecar.vectors)


def file_bytes(size: InputSize) -> int:
    """The bytes that a size takes in a sidecar."""
    contents = sum(8 + len(content) for content in size.contents.values())
    return _FIXED_BYTES + 8 * len(size.words) + contents


def _side(fields: FieldReader) -> int:
    return fields.u32("a side of the image", limits.MAX_SIDE, 1)


def _size(fields: FieldReader, vectors: Sequence[Vector]) -> InputSize:
    height, width = _side(fields), _side(fields)
    digest = fields.take(limits.DIGEST_BYTES).hex()
    return InputSize(
        height, width, digest, _words(fields), _contents(fields, vectors)
    )


def _words(fields: FieldReader) -> dict[int, int]:
    words: dict[int, int] = {}
    before = -1
    for _ in range(fields.count()):
        position = fields.u32("a position", limits.MAX_SKELETON_BYTES)
        require(
            position > before,
            "the words of a size must come in ascending order, each once",
            position,
        )
        (words[position],) = struct.unpack("<I", fields.take(4))
        before = position
    return words


def _contents(
    fields: FieldReader, vectors: Sequence[Vector]
) -> dict[int, bytes]:
    contents: dict[int, bytes] = {}
    before = -1
    for _ in range(fields.count()):
        index = fields.vector(len(vectors))
        require(
            index > before,
            "the vectors of a size must come in ascending order, each once",
            index,
        )
        items = fields.u32("the items of a vector", limits.MAX_ITEMS)
        contents[index] = fields.take(items * vectors[index].item_bytes)
        before = index
    return contents


def _write_size(
    out: FieldWriter, size: InputSize, vectors: Sequence[Vector]
) -> None:
    out.u32(size.height, size.width)
    out.digest(size.base_sha256)
    out.u32(len(size.words))
    for position, word in size.words.items():
        out.u32(position, word)
    _write_contents(out, size.contents, vectors)


def _write_contents(
    out: FieldWriter, contents: Mapping[int, bytes], vectors: Sequence[Vector]
) -> None:
    out.u32(len(contents))
    for index, content in contents.items():
        require(
            0 <= index < len(vectors)
            and len(content) % vectors[index].item_bytes == 0,
            "what a size replaces must be a vector, by whole items",
            index,
        )
        out.u32(index, len(content) // vectors[index].item_bytes)
        out.raw(content)
