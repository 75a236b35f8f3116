"""zlib streams, inflated piece by piece to a size that was stated before."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from object_detection_patch.patch_file import errors, layout

_PART_BYTES = 2**16


def check_inflation(name: str, *, stored: int, raw: int) -> None:
    """Raises LimitError for a size that no zlib stream of `stored` reaches."""
    if raw > layout.MAX_INFLATION * stored:
        raise errors.LimitError(
            f"{name} cannot inflate {stored} bytes more than "
            f"{layout.MAX_INFLATION} times. Received: a stated size of {raw}."
        )


def inflate(name: str, stored: Iterable[bytes], size: int) -> np.ndarray:
    """The `size` bytes of one zlib stream, as `joined` gives them.

    Raises:
      CompressionError: if the stream is broken, does not end with `stored`,
        or has another size; at most a part beyond `size` is inflated.
    """
    return joined(name, inflated(name, stored, size), size)


def joined(name: str, parts: Iterable[bytes], size: int) -> np.ndarray:
    """The parts as one read-only array of `size` uint8.

    Raises:
      CompressionError: if they have another size together.
    """
    whole = np.empty(size, np.uint8)
    at = 0
    for part in parts:
        if at + len(part) > size:
            raise _wrong_end(name, size)
        whole[at : at + len(part)] = np.frombuffer(part, np.uint8)
        at += len(part)
    if at != size:
        raise _wrong_end(name, size)
    whole.flags.writeable = False
    return whole


def inflated(name: str, stored: Iterable[bytes], size: int) -> Iterator[bytes]:
    """The parts of one zlib stream, `size` bytes together if it is right.

    Raises:
      CompressionError: as `inflate`, except for the size of all parts.
    """
    stream = zlib.decompressobj()
    for piece in stored:
        try:
            yield from _parts(stream, piece)
        except zlib.error as error:
            raise errors.CompressionError(
                f"{name} must be one zlib stream. Received: {error}."
            ) from error
        if stream.unused_data:
            raise _wrong_end(name, size)
    if not stream.eof:
        raise _wrong_end(name, size)


# The type of a stream has a name only in type checkers, hence Any.
def _parts(stream: Any, piece: bytes) -> Iterator[bytes]:
    # The stream's trailer is input too, so none is left only at the end of
    # the output or before the next piece.
    while piece:
        yield stream.decompress(piece, _PART_BYTES)
        piece = stream.unconsumed_tail


def _wrong_end(name: str, size: int) -> errors.CompressionError:
    return errors.CompressionError(
        f"{name} must inflate to {size} bytes and end there. Received: a "
        "stream that is shorter, longer, or followed by other bytes."
    )
