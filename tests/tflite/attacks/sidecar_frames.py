"""Sidecars whose prelude, stream, counts or end lie."""

from __future__ import annotations

from attacks.attempt import SIDECAR, Attempts
from attacks.frame import SIDECAR_MAGIC, bomb, framed, resealed
from attacks.sidecar_bytes import HUGE, of_body
from attacks.small_world import SmallWorld

from object_detection_patch.tflite import errors
from object_detection_patch.tflite.errors import SidecarError

ATTEMPTS = Attempts(SIDECAR)
# Positions in the body of what stands before the first list.
_FINGERPRINT, _DIGEST, _MODEL_BYTES, _PRECISION = 0, 32, 64, 72
_SKELETON, _CLASSES, _CAPACITY, _VECTORS = 73, 77, 81, 85


@ATTEMPTS.add(SidecarError, "has at least 64 bytes. Received: 0")
def empty_file(small: SmallWorld) -> bytes:
    """A file of no bytes."""
    return b""


@ATTEMPTS.add(SidecarError, "says that it has 738 bytes. Received: 728")
def cut_short(small: SmallWorld) -> bytes:
    """The last 10 bytes are missing."""
    return small.sidecar_bytes()[:-10]


@ATTEMPTS.add(SidecarError, "must fill the file")
def cut_short_and_resealed(small: SmallWorld) -> bytes:
    """The same, with length and checksum set right again."""
    return resealed(small.sidecar_bytes()[:-10])


@ATTEMPTS.add(SidecarError, "must fill the file")
def bytes_behind_the_body(small: SmallWorld) -> bytes:
    """Bytes hidden between body and checksum, within the length."""
    return _framed(small, rest=b"hidden")


@ATTEMPTS.add(SidecarError, r"begins with b'\\x89ODB")
def patch_as_sidecar(small: SmallWorld) -> bytes:
    """The patch in the sidecar's place."""
    return small.patch_bytes()


@ATTEMPTS.add(errors.SidecarVersionError, "Received: version 99")
def version_99(small: SmallWorld) -> bytes:
    """A version that nobody knows yet."""
    return _framed(small, version=99)


@ATTEMPTS.add(SidecarError, "20 to 23 .* must be 0")
def reserved_bits(small: SmallWorld) -> bytes:
    """A flag where none is known."""
    return _framed(small, flags=1)


@ATTEMPTS.add(SidecarError, "at most 16777216 bytes")
def negative_body_length(small: SmallWorld) -> bytes:
    """A body of -1 bytes, which is 2^32 - 1."""
    return _framed(small, stored_bytes=HUGE)


@ATTEMPTS.add(SidecarError, "at most 16777216 bytes. Received: .* 4294967295")
def body_of_4_gib(small: SmallWorld) -> bytes:
    """A body that says to inflate to 4 GiB."""
    return _framed(small, raw_bytes=HUGE)


@ATTEMPTS.add(SidecarError, "more than 1032 times")
def body_inflated_too_far(small: SmallWorld) -> bytes:
    """16 MiB from 700 bytes."""
    return _framed(small, raw_bytes=2**24)


@ATTEMPTS.add(SidecarError, "body must inflate to 1000 bytes")
def body_bomb(small: SmallWorld) -> bytes:
    """A body of 1,000 bytes whose stream holds a megabyte."""
    return _framed(small, stored=bomb(4065), raw_bytes=1000)


@ATTEMPTS.add(SidecarError, "body must inflate")
def body_stream_cut(small: SmallWorld) -> bytes:
    """The body's stream without its Adler-32."""
    return _framed(small, stored=_stream(small)[:-4])


@ATTEMPTS.add(SidecarError, "followed by other bytes")
def bytes_behind_the_stream(small: SmallWorld) -> bytes:
    """Bytes hidden behind the end of the body's stream."""
    return _framed(small, stored=_stream(small) + b"hidden")


@ATTEMPTS.add(SidecarError, "ends with the SHA-256")
def checksum_of_zeros(small: SmallWorld) -> bytes:
    """Whole and sound but for its checksum."""
    return _framed(small, checksum=bytes(32))


@ATTEMPTS.add(SidecarError, "must end with its last field")
def bytes_in_the_body(small: SmallWorld) -> bytes:
    """Bytes hidden behind the last kernel."""
    return of_body(small.body() + b"hidden")


@ATTEMPTS.add(SidecarError, "ends within a field")
def body_cut(small: SmallWorld) -> bytes:
    """A body that ends within its last kernel."""
    return of_body(small.body()[:-4])


def _framed(small: SmallWorld, *, rest: bytes = b"", **lies) -> bytes:
    lies = {"version": 1, **lies}
    return framed(SIDECAR_MAGIC, small.body(), rest, **lies)


def _stream(small: SmallWorld) -> bytes:
    return small.sidecar_bytes()[32:-32]
