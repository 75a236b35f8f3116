"""What stands around a header or a body, by hand, so that any of it may lie."""

from __future__ import annotations

import hashlib
import struct
import zlib

PATCH_MAGIC = b"\x89ODP\r\n\x1a\n"
SIDECAR_MAGIC = b"\x89ODB\r\n\x1a\n"
SIGNED = 1
# The fixed Huffman codes of deflate (RFC 1951, 3.2.6) of what a bomb needs.
_BLOCK = "110"  # the last block, with fixed codes
_ZERO = "00110000"
_LENGTH_258 = "11000101"  # 258 bytes more, a distance back
_SAME_258 = _LENGTH_258 + "00000"  # like the one before
_END = "0000000"


def framed(
    magic: bytes,
    raw: bytes,
    rest: bytes = b"",
    *,
    version: int = 2,
    stored: bytes | None = None,
    stored_bytes: int | None = None,
    raw_bytes: int | None = None,
    flags: int = 0,
    file_bytes: int | None = None,
    checksum: bytes | None = None,
) -> bytes:
    """A file whose lengths and checksum are right unless given.

    Args:
      raw: the header of a patch or the body of a sidecar.
      rest: what follows its stream: sections and signature.
      stored: the stream, if it is not that of `raw`.
    """
    stored = stored_zlib(raw) if stored is None else stored
    size = 32 + len(stored) + len(rest) + 32
    data = struct.pack(
        "<8sIIIIQ",
        magic,
        version,
        len(stored) if stored_bytes is None else stored_bytes,
        len(raw) if raw_bytes is None else raw_bytes,
        flags,
        size if file_bytes is None else file_bytes,
    )
    data += stored + rest
    return data + (checksum or hashlib.sha256(data).digest())


def stored_zlib(raw: bytes) -> bytes:
    """A zlib stream of one block that is not compressed."""
    head = struct.pack("<HBHH", 0x0178, 1, len(raw), 0xFFFF ^ len(raw))
    return head + raw + struct.pack(">I", zlib.adler32(raw))


def bomb(matches: int) -> bytes:
    """A zlib stream of 1 + 258 * matches zeros, in 13 bits a match."""
    packed = _bytes(_BLOCK + _ZERO + matches * _SAME_258 + _END)
    check = zlib.adler32(bytes(1 + 258 * matches))
    return b"\x78\x01" + packed + struct.pack(">I", check)


def repeated(raw: bytes, period: int, matches: int) -> bytes:
    """A zlib stream of `raw` and 258 * matches bytes that repeat its end.

    Args:
      period: how many bytes of its end; 5 to 256.
    """
    head = struct.pack("<BHH", 0, len(raw), 0xFFFF ^ len(raw)) + raw
    match = _LENGTH_258 + _distance(period)
    packed = _bytes(_BLOCK + matches * match + _END)
    unit = raw[-period:]
    times = -(-258 * matches // period)
    check = zlib.adler32(raw + (times * unit)[: 258 * matches])
    return b"\x78\x01" + head + packed + struct.pack(">I", check)


def _distance(distance: int) -> str:
    """The bits of a distance (RFC 1951, 3.2.5): a code, then the rest."""
    above = distance - 1
    extra = above.bit_length() - 2
    code = 2 * extra + (above >> extra)
    rest = above & ((1 << extra) - 1)
    return f"{code:05b}" + f"{rest:0{extra}b}"[::-1]


def _bytes(bits: str) -> bytes:
    bits += "0" * (-len(bits) % 8)
    return bytes(
        int(bits[at : at + 8][::-1], 2) for at in range(0, len(bits), 8)
    )


def resealed(data: bytes) -> bytes:
    """A file with its length and checksum set right again."""
    data = data[:24] + struct.pack("<Q", len(data)) + data[32:-32]
    return data + hashlib.sha256(data).digest()


def changed(raw: bytes, old: bytes, new: bytes) -> bytes:
    """`raw` with the one place of `old` changed."""
    if raw.count(old) != 1:
        raise ValueError(
            f"`old` must stand in `raw` once. Received: {old!r}, which "
            f"stands there {raw.count(old)} times."
        )
    return raw.replace(old, new)
