"""Patches whose prelude, header stream, length or end lies."""

from __future__ import annotations

import struct

from attacks.attempt import PATCH, Attempts
from attacks.frame import PATCH_MAGIC, bomb, framed, resealed
from attacks.patch_bytes import HUGE
from attacks.small_world import SmallWorld

from object_detection_patch.patch_file import errors

ATTEMPTS = Attempts(PATCH)


@ATTEMPTS.add(errors.LengthError, "has at least 64 bytes. Received: 0")
def empty_file(small: SmallWorld) -> bytes:
    """A file of no bytes."""
    return b""


@ATTEMPTS.add(errors.LengthError, "has at least 64 bytes. Received: 63")
def shorter_than_any_patch(small: SmallWorld) -> bytes:
    """A file of 63 bytes, whose checksum would overlap its prelude."""
    return small.patch_bytes()[:63]


@ATTEMPTS.add(errors.LengthError, "says that it has 460 bytes. Received: 450")
def cut_short(small: SmallWorld) -> bytes:
    """The last 10 bytes are missing, as after a broken download."""
    return small.patch_bytes()[:-10]


@ATTEMPTS.add(errors.SectionBoundsError, "must fill the file")
def cut_short_and_resealed(small: SmallWorld) -> bytes:
    """The same, with length and checksum set right again."""
    return resealed(small.patch_bytes()[:-10])


@ATTEMPTS.add(errors.LengthError, "says that it has 460 bytes. Received: 920")
def another_patch_appended(small: SmallWorld) -> bytes:
    """A second patch behind the first."""
    return small.patch_bytes() * 2


@ATTEMPTS.add(errors.SectionBoundsError, "must fill the file")
def bytes_behind_the_sections(small: SmallWorld) -> bytes:
    """A hidden archive between sections and checksum, within the length."""
    return _framed(small, rest=small.sections() + b"PK\x03\x04 hidden")


@ATTEMPTS.add(errors.MagicError, r"begins with b'\\x89ODP")
def sidecar_as_patch(small: SmallWorld) -> bytes:
    """The sidecar in the patch's place."""
    return small.sidecar_bytes()


@ATTEMPTS.add(errors.VersionError, "Received: version 99")
def version_99(small: SmallWorld) -> bytes:
    """A version that nobody knows yet."""
    return _framed(small, version=99)


@ATTEMPTS.add(errors.VersionError, "Received: version 0")
def version_0(small: SmallWorld) -> bytes:
    """A version before the first."""
    return _framed(small, version=0)


@ATTEMPTS.add(errors.ReservedError, "Bits 1 to 31 .* Received: 0x00000002")
def unknown_flag(small: SmallWorld) -> bytes:
    """A flag without a meaning."""
    return _framed(small, flags=2)


@ATTEMPTS.add(errors.ReservedError, "of version 1 must be 0")
def signed_in_version_1(small: SmallWorld) -> bytes:
    """The flag of version 2 in a file of version 1."""
    return _framed(small, version=1, flags=1)


@ATTEMPTS.add(errors.SectionBoundsError, "signature or checksum")
def signature_cut(small: SmallWorld) -> bytes:
    """A signed patch with half of its signature, resealed."""
    rest = small.sections() + bytes(48)
    return _framed(small, rest=rest, flags=1)


@ATTEMPTS.add(errors.HeaderBoundsError, "must end before the checksum")
def signature_over_the_header(small: SmallWorld) -> bytes:
    """The flag alone: 96 bytes of signature would lie in the header."""
    return _framed(small, rest=b"", flags=1)


@ATTEMPTS.add(errors.LengthError, "says that it has 18446744073709551615")
def negative_file_length(small: SmallWorld) -> bytes:
    """A stated length of -1, which is 2^64 - 1."""
    return _framed(small, file_bytes=2**64 - 1)


@ATTEMPTS.add(errors.LimitError, "may have 4194304 bytes. Received: 4294967295")
def negative_header_length(small: SmallWorld) -> bytes:
    """A header of -1 bytes, which is 2^32 - 1."""
    return _framed(small, stored_bytes=HUGE)


@ATTEMPTS.add(errors.HeaderBoundsError, "must end before the checksum")
def header_into_the_checksum(small: SmallWorld) -> bytes:
    """A header that reaches one byte into the checksum."""
    stored = len(small.patch_bytes()) - 32 - 32 + 1
    return _framed(small, stored_bytes=stored)


@ATTEMPTS.add(errors.LimitError, "Received: .* 4294967295 inflated")
def header_of_4_gib(small: SmallWorld) -> bytes:
    """A header that says to inflate to 4 GiB."""
    return _framed(small, raw_bytes=HUGE)


@ATTEMPTS.add(errors.LimitError, "more than 1032 times")
def header_inflated_too_far(small: SmallWorld) -> bytes:
    """4 MiB from 300 bytes: allowed as a size, impossible as a stream."""
    return _framed(small, raw_bytes=2**22)


@ATTEMPTS.add(errors.CompressionError, "header must inflate to 1000 bytes")
def header_bomb(small: SmallWorld) -> bytes:
    """A header of 1,000 bytes whose stream holds a megabyte."""
    return _framed(small, stored=bomb(4065), raw_bytes=1000)


@ATTEMPTS.add(errors.CompressionError, "stream that is shorter")
def header_shorter_than_stated(small: SmallWorld) -> bytes:
    """A header that leaves a byte of its buffer unwritten."""
    return _framed(small, raw_bytes=len(small.patch.header()) + 1)


@ATTEMPTS.add(errors.CompressionError, "header must inflate to")
def header_stream_cut(small: SmallWorld) -> bytes:
    """The header's stream without its Adler-32."""
    return _framed(small, stored=_stream(small)[:-4])


@ATTEMPTS.add(errors.CompressionError, "followed by other bytes")
def bytes_behind_the_header_stream(small: SmallWorld) -> bytes:
    """Bytes hidden behind the end of the header's stream."""
    return _framed(small, stored=_stream(small) + b"hidden")


@ATTEMPTS.add(errors.CompressionError, "must be one zlib stream")
def header_stream_damaged(small: SmallWorld) -> bytes:
    """An Adler-32 that is wrong."""
    return _framed(small, stored=_stream(small)[:-1] + b"?")


@ATTEMPTS.add(errors.CompressionError, "header must")
def header_with_a_dictionary(small: SmallWorld) -> bytes:
    """A stream that asks for a preset dictionary, which nobody has."""
    return _framed(small, stored=b"\x78\x20" + _stream(small)[2:])


@ATTEMPTS.add(errors.CompressionError, "header must")
def header_as_gzip(small: SmallWorld) -> bytes:
    """A gzip stream, which lenient inflaters take as well."""
    return _framed(small, stored=b"\x1f\x8b\x08" + _stream(small)[3:])


@ATTEMPTS.add(errors.ChecksumError, "ends with the SHA-256")
def checksum_of_zeros(small: SmallWorld) -> bytes:
    """Whole and sound but for its checksum."""
    return _framed(small, checksum=bytes(32))


def _framed(small: SmallWorld, *, rest: bytes | None = None, **lies) -> bytes:
    rest = small.sections() if rest is None else rest
    return framed(PATCH_MAGIC, small.patch.header(), rest, **lies)


def _stream(small: SmallWorld) -> bytes:
    whole = small.patch_bytes()
    return whole[32 : 32 + struct.unpack_from("<I", whole, 12)[0]]
