"""zlib streams as small as zlib makes them; what reads them cannot tell."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

LEVEL = 9
_WINDOW_BITS = 15
_MEMORY_LEVEL = 8
# Without matches, noise costs what its bytes' frequencies make it cost.
_STRATEGIES = (zlib.Z_DEFAULT_STRATEGY, zlib.Z_HUFFMAN_ONLY)


def smallest(parts: Sequence[bytes]) -> bytes:
    """One stream of all parts, the smallest of a few ways to write it.

    Args:
      parts: each as uniform as can be: it may get code lengths of its own.
    """
    streams = [zlib.compress(b"".join(parts), LEVEL)]
    streams += [_apart(parts, strategy) for strategy in _STRATEGIES]
    return min(streams, key=len)


def _apart(parts: Sequence[bytes], strategy: int) -> bytes:
    """Every part begins a new block of the stream."""
    stream = zlib.compressobj(
        LEVEL, zlib.DEFLATED, _WINDOW_BITS, _MEMORY_LEVEL, strategy
    )
    blocks = [
        stream.compress(part) + stream.flush(zlib.Z_BLOCK) for part in parts
    ]
    return b"".join([*blocks, stream.flush()])
