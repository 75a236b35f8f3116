"""Inputs of a fuzzer to files, as native/fuzz/frame.cc makes them.

What a fuzzer cannot guess (compression, lengths, checksums) is made, so that
it reaches what lies behind. One corpus serves both languages.
"""

from __future__ import annotations

import hashlib
import struct
import zlib

_PATCH_MAGIC = b"\x89ODP\r\n\x1a\n"
_SIDECAR_MAGIC = b"\x89ODB\r\n\x1a\n"
_VERSION_2, _SIGNED, _FILE, _VERSION_3 = 1, 2, 4, 8
_MOST_STORED = 2**16 - 1


def patch_of_input(data: bytes) -> bytes:
    """A patch: a byte of flags, u16 bytes of the header, header, sections.

    Flags: bit 0 says version 2, bit 1 signed, bit 2 that the rest is a file
    as it is, bit 3 version 3.
    """
    if len(data) < 3:
        return b""
    flags = data[0]
    if flags & _FILE:
        return _with_checksum(data[1:])
    end = 3 + struct.unpack_from("<H", data, 1)[0]
    version = 3 if flags & _VERSION_3 else 1 + (flags & _VERSION_2)
    return patch_file(
        data[3:end], data[end:], version=version, signed=bool(flags & _SIGNED)
    )


def sidecar_of_input(data: bytes) -> bytes:
    """A sidecar: a byte of flags (bit 2: a file as it is), body."""
    if not data:
        return b""
    if data[0] & _FILE:
        return _with_checksum(data[1:])
    return sidecar_file(data[1:])


def patch_file(
    header: bytes, sections: bytes, *, version: int, signed: bool
) -> bytes:
    """A patch from an inflated header and its sections."""
    rest = sections + bytes(96 * signed)
    return _framed(_PATCH_MAGIC, version, int(signed), header, rest)


def sidecar_file(body: bytes) -> bytes:
    """A sidecar from its inflated body."""
    return _framed(_SIDECAR_MAGIC, 1, 0, body, b"")


def _framed(
    magic: bytes, version: int, flags: int, raw: bytes, rest: bytes
) -> bytes:
    stored = _deflated(raw)
    sizes = (len(stored), len(raw), flags, 64 + len(stored) + len(rest))
    data = magic + struct.pack("<IIIIQ", version, *sizes) + stored + rest
    return data + hashlib.sha256(data).digest()


def _deflated(raw: bytes) -> bytes:
    """A zlib stream of blocks that are not compressed."""
    parts = [b"\x78\x01"]
    for at in range(0, max(len(raw), 1), _MOST_STORED):
        part = raw[at : at + _MOST_STORED]
        last = at + len(part) == len(raw)
        parts.append(
            struct.pack("<BHH", last, len(part), _MOST_STORED ^ len(part))
        )
        parts.append(part)
    parts.append(struct.pack(">I", zlib.adler32(raw)))
    return b"".join(parts)


def _with_checksum(file: bytes) -> bytes:
    if len(file) < 32:
        return file
    return file[:-32] + hashlib.sha256(file[:-32]).digest()
