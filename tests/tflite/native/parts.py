"""Three files in pieces, put together with lengths and checksums that fit."""

from __future__ import annotations

import dataclasses
import hashlib
import struct
import zlib

import tokens
from applied import Case

_PATCH_MAGIC, _SIDECAR_MAGIC = b"\x89ODP\r\n\x1a\n", b"\x89ODB\r\n\x1a\n"
_SIGNED_BYTES = 96


@dataclasses.dataclass
class Parts:
    """Three files in pieces, to be broken and put together again."""

    base: bytes
    body: bytes
    header: bytes
    sections: list[bytes]
    version: int
    signature: bytes
    sidecar_version: int = 1
    # Lies that are not repaired: (position in the prelude, bytes).
    patch_lie: tuple[int, bytes] | None = None
    sidecar_lie: tuple[int, bytes] | None = None

    def sidecar(self) -> bytes:
        return _framed(
            *(_SIDECAR_MAGIC, self.sidecar_version, 0, self.body, b""),
            self.sidecar_lie,
        )

    def patch(self) -> bytes:
        rest = b"".join(self.sections) + self.signature
        return _framed(
            *(_PATCH_MAGIC, self.version, int(bool(self.signature))),
            *(self.header, rest, self.patch_lie),
        )


def parts_of(case: Case) -> Parts:
    """A sound case in pieces."""
    _, version, stored, _, flags, _ = struct.unpack_from("<8sIIIIQ", case.patch)
    header = zlib.decompress(case.patch[32 : 32 + stored])
    end = len(case.patch) - 32 - _SIGNED_BYTES * flags
    rest = case.patch[32 + stored : end]
    sections = []
    for size, _ in tokens.of_header(header, version).sections:
        sections.append(rest[:size])
        rest = rest[size:]
    return Parts(
        case.base,
        zlib.decompress(case.sidecar[32:-32]),
        header,
        sections,
        version,
        case.patch[end:-32],
        struct.unpack_from("<I", case.sidecar, 8)[0],
    )


def with_result(parts: Parts, digest: bytes) -> Parts:
    """The parts with the SHA-256 of the result in every release."""
    header = bytearray(parts.header)
    for field in tokens.of_header(parts.header, parts.version).fields:
        if field.name == "release's result":
            header[field.at : field.at + field.size] = digest
    return dataclasses.replace(parts, header=bytes(header))


def _framed(
    magic: bytes,
    version: int,
    flags: int,
    raw: bytes,
    rest: bytes,
    lie: tuple[int, bytes] | None,
) -> bytes:
    stored = zlib.compress(raw)
    size = 64 + len(stored) + len(rest)
    sizes = (len(stored), len(raw), flags, size)
    prelude = bytearray(magic + struct.pack("<IIIIQ", version, *sizes))
    if lie is not None:
        prelude[lie[0] : lie[0] + len(lie[1])] = lie[1]
    data = bytes(prelude) + stored + rest
    return data + hashlib.sha256(data).digest()
