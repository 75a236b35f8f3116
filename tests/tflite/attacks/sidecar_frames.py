"""Sidecars whose prelude, stream, counts or end lie."""

from __future__ import annotations

import hashlib
import struct

from attacks.attempt import SIDECAR, Attempts
from attacks.frame import SIDECAR_MAGIC, bomb, changed, framed, resealed
from attacks.sidecar_bytes import HUGE, of_body, poked, poked_u32
from attacks.small_world import CAPACITY, CLASSES, SmallWorld, small_world

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
def bytes_behind_theof_body(small: SmallWorld) -> bytes:
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


@ATTEMPTS.add(SidecarError, "must end with its last kernel")
def bytes_in_theof_body(small: SmallWorld) -> bytes:
    """Bytes hidden behind the last kernel."""
    return of_body(small.body() + b"hidden")


@ATTEMPTS.add(SidecarError, "ends within a field")
def body_cut(small: SmallWorld) -> bytes:
    """A body that ends within its last kernel."""
    return of_body(small.body()[:-4])


@ATTEMPTS.add(errors.BaseMismatchError, "922 bytes. Received: 590 bytes")
def swapped_sidecar(small: SmallWorld) -> bytes:
    """The sidecar of another base of the same detector."""
    return small_world("int8").sidecar_bytes()


@ATTEMPTS.add(errors.BaseMismatchError, "SHA-256")
def swapped_sidecar_of_the_same_length(small: SmallWorld) -> bytes:
    """The sidecar of a base of the same layout."""
    return poked(small, _DIGEST, hashlib.sha256(b"other").digest())


@ATTEMPTS.add(SidecarError, "base may have 276824064 bytes")
def base_of_2_to_the_64(small: SmallWorld) -> bytes:
    """A base of 2^64 - 1 bytes."""
    return poked(small, _MODEL_BYTES, b"\xff" * 8)


@ATTEMPTS.add(SidecarError, "must end within base.tflite")
def base_shorter_than_its_vectors(small: SmallWorld) -> bytes:
    """A base that ends within its last vector."""
    return poked(small, _MODEL_BYTES, struct.pack("<Q", 400))


@ATTEMPTS.add(SidecarError, "precision must be 0")
def precision_3(small: SmallWorld) -> bytes:
    """A precision that nobody knows."""
    return poked(small, _PRECISION, b"\3")


@ATTEMPTS.add(SidecarError, "multiple of 16")
def skeleton_of_0(small: SmallWorld) -> bytes:
    """A skeleton of no bytes."""
    return poked_u32(small, _SKELETON, 0)


@ATTEMPTS.add(SidecarError, "multiple of 16")
def skeleton_not_aligned(small: SmallWorld) -> bytes:
    """A skeleton that ends between two places."""
    return poked_u32(small, _SKELETON, 255)


@ATTEMPTS.add(SidecarError, "the skeleton must lie between 0 and 16777216")
def skeleton_of_4_gib(small: SmallWorld) -> bytes:
    """A skeleton of 2^32 - 1 bytes."""
    return poked_u32(small, _SKELETON, HUGE)


@ATTEMPTS.add(SidecarError, "classes must lie between 1")
def classes_0(small: SmallWorld) -> bytes:
    """A base without classes."""
    return poked_u32(small, _CLASSES, 0)


@ATTEMPTS.add(SidecarError, "must not exceed the capacity")
def classes_above_the_capacity(small: SmallWorld) -> bytes:
    """A base of more classes than it allows its tasks."""
    return poked_u32(small, _CLASSES, CAPACITY + 1)


@ATTEMPTS.add(SidecarError, "capacity must lie between 1 and 65536")
def capacity_of_4_billion(small: SmallWorld) -> bytes:
    """A capacity of 2^32 - 1 classes."""
    return poked_u32(small, _CAPACITY, HUGE)


@ATTEMPTS.add(SidecarError, "number of entries must lie between 1 and 65536")
def huge_vector_count(small: SmallWorld) -> bytes:
    """2^32 - 1 vectors."""
    return poked_u32(small, _VECTORS, HUGE)


@ATTEMPTS.add(SidecarError, "number of entries must lie between 1")
def no_vectors(small: SmallWorld) -> bytes:
    """A base without a vector."""
    return poked_u32(small, _VECTORS, 0)


@ATTEMPTS.add(SidecarError, "a leader must lie between 0 and")
def more_vectors_than_bytes(small: SmallWorld) -> bytes:
    """65,536 vectors: an allowed count, but not here."""
    return poked_u32(small, _VECTORS, 65536)


@ATTEMPTS.add(SidecarError, "number of entries .* Received: 4294967295")
def huge_link_count(small: SmallWorld) -> bytes:
    """2^32 - 1 links."""
    count = len(small.world.links)
    return _count(small, count, HUGE, struct.pack("<II", 16, 0))


@ATTEMPTS.add(SidecarError, "number of entries .* Received: 2147483648")
def negative_norm_count(small: SmallWorld) -> bytes:
    """2^31 norms, which is negative with a sign."""
    return _count(small, 1, 2**31, b"\x09\0body/norm")


@ATTEMPTS.add(SidecarError, "number of entries .* Received: 4294967295")
def huge_kernel_count(small: SmallWorld) -> bytes:
    """2^32 - 1 kernels."""
    return _count(small, 3, HUGE, b"\x0b\0body/kernel")


@ATTEMPTS.add(SidecarError, "channels must lie between 1 and 67108864")
def norm_of_2_to_the_30(small: SmallWorld) -> bytes:
    """2^30 channels, whose bytes are 0 in 32 bits."""
    raw = changed(
        small.body(),
        b"body/norm" + struct.pack("<I", 2),
        b"body/norm" + struct.pack("<I", 2**30),
    )
    return of_body(raw)


@ATTEMPTS.add(SidecarError, "ends within a field of 268435456")
def bias_of_256_mib(small: SmallWorld) -> bytes:
    """A bias of 2^26 numbers in a body of 700 bytes."""
    size = struct.pack("<I", CLASSES + 1)
    name = b"\x0f\0class_head/bias"
    raw = changed(small.body(), name + size, name + struct.pack("<I", 2**26))
    return of_body(raw)


def _framed(small: SmallWorld, *, rest: bytes = b"", **lies) -> bytes:
    lies = {"version": 1, **lies}
    return framed(SIDECAR_MAGIC, small.body(), rest, **lies)


def _stream(small: SmallWorld) -> bytes:
    return small.sidecar_bytes()[32:-32]


def _count(small: SmallWorld, old: int, new: int, behind: bytes) -> bytes:
    """The sidecar with a u32 changed that stands before given bytes."""
    raw = changed(
        small.body(),
        struct.pack("<I", old) + behind,
        struct.pack("<I", new) + behind,
    )
    return of_body(raw)
