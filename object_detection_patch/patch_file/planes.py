"""Numbers whose bytes are sorted by their place, so that zlib finds more.

Neighbouring floats have much alike in their high bytes and nothing in their
low ones; apart, the high ones shrink well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from object_detection_patch.patch_file import layout


def split(raw: bytes, width: int) -> list[bytes]:
    """Numbers of `width` bytes each -> their byte planes, block by block."""
    size = layout.PLANE_BLOCK * width
    return [
        raw[at + place : at + size : width]
        for at in range(0, len(raw), size)
        for place in range(width)
    ]


def merged(parts: Iterable[bytes], width: int) -> Iterator[bytes]:
    """Byte planes, cut anywhere -> the numbers, a block at a time.

    Bytes that make no whole number, which end a stream of a wrong length,
    come out as they are.
    """
    size = layout.PLANE_BLOCK * width
    pending = bytearray()
    for part in parts:
        pending += part
        whole = len(pending) - len(pending) % size
        for at in range(0, whole, size):
            yield _numbers(pending[at : at + size], width)
        del pending[:whole]
    if len(pending) % width == 0:
        yield _numbers(pending, width)
    else:
        yield bytes(pending)


def _numbers(block: bytearray, width: int) -> bytes:
    return np.frombuffer(block, np.uint8).reshape(width, -1).T.tobytes()
