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
_FAMILY_MAGIC = b"\x89ODF\r\n\x1a\n"
_SERIES, _SWAPPED = 1, 2
_VERSION_2, _SIGNED, _FILE, _VERSION_3, _VERSION_4 = 1, 2, 4, 8, 16
_MOST_STORED = 2**16 - 1


def patch_of_input(data: bytes) -> bytes:
    """A patch: a byte of flags, u16 bytes of the header, header, sections.

    Flags: bit 0 says version 2, bit 1 signed, bit 2 that the rest is a file
    as it is, bit 3 version 3, bit 4 version 4.
    """
    if len(data) < 3:
        return b""
    flags = data[0]
    if flags & _FILE:
        return _with_checksum(data[1:])
    end = 3 + struct.unpack_from("<H", data, 1)[0]
    version = 1 + (flags & _VERSION_2)
    if flags & (_VERSION_3 | _VERSION_4):
        version = 4 if flags & _VERSION_4 else 3
    return patch_file(
        data[3:end], data[end:], version=version, signed=bool(flags & _SIGNED)
    )


def family_of_input(data: bytes) -> tuple[bytes, bytes]:
    """Shared and task file: a byte of flags, u16 bytes, then both patches.

    The u16 is the length of the shared file's patch, an input as those of
    `patch_of_input`; the task's follows. Flags: bit 0 says series, bit 1
    that the kinds are swapped, bit 2 that the rest is one file as it is, for
    both.
    """
    if len(data) < 3:
        return b"", b""
    flags = data[0]
    if flags & _FILE:
        file = _with_checksum(data[1:])
        return file, file
    end = 3 + struct.unpack_from("<H", data, 1)[0]
    kinds = [1 + (flags & _SERIES), 3]
    if flags & _SWAPPED:
        kinds.reverse()
    shared = _family_file(kinds[0], patch_of_input(data[3:end]), bytes(32))
    digest = hashlib.sha256(shared).digest()
    return shared, _family_file(kinds[1], patch_of_input(data[end:]), digest)


def _family_file(kind: int, patch: bytes, digest: bytes) -> bytes:
    data = _FAMILY_MAGIC + struct.pack("<IIQ", 1, kind, 88 + len(patch))
    data += digest + patch
    return data + hashlib.sha256(data).digest()


def sidecar_of_input(data: bytes) -> bytes:
    """A sidecar: a byte of flags, body.

    Flags: bit 0 says version 2, bit 2 that the rest is a file as it is.
    """
    if not data:
        return b""
    if data[0] & _FILE:
        return _with_checksum(data[1:])
    return sidecar_file(data[1:], version=1 + (data[0] & _VERSION_2))


def patch_file(
    header: bytes, sections: bytes, *, version: int, signed: bool
) -> bytes:
    """A patch from an inflated header and its sections."""
    rest = sections + bytes(96 * signed)
    return _framed(_PATCH_MAGIC, version, int(signed), header, rest)


def sidecar_file(body: bytes, *, version: int = 1) -> bytes:
    """A sidecar from its inflated body."""
    return _framed(_SIDECAR_MAGIC, version, 0, body, b"")


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
