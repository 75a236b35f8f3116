"""Sidecars that lie about their base or about how much they hold."""

from __future__ import annotations

import dataclasses
import hashlib
import struct

from attacks.attempt import SIDECAR, Attempts
from attacks.frame import SIDECAR_MAGIC, changed, framed, repeated
from attacks.sidecar_bytes import HUGE, of_body, poked, poked_u32
from attacks.small_world import CAPACITY, CLASSES, SmallWorld, small_world

from object_detection_patch.tflite import errors
from object_detection_patch.tflite.errors import SidecarError

ATTEMPTS = Attempts(SIDECAR)
# Positions in the body of what stands before the first list.
_FINGERPRINT, _DIGEST, _MODEL_BYTES, _PRECISION = 0, 32, 64, 72
_SKELETON, _CLASSES, _CAPACITY, _VECTORS = 73, 77, 81, 85
# How many entries of a list of 65,536 are written out.
_UNITS = 4
_LONG_MEMORY = 2**24


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


@ATTEMPTS.add(SidecarError, "at most 8 times the bytes of base.tflite")
def copies_at_one_place(small: SmallWorld) -> bytes:
    """160 copies of a kernel where one lies, sound in all else: of a base of
    1 MB, 6 kB like these made 250 MB in 7 seconds."""
    kernel = small.kernel("body/kernel")
    first = kernel.copies[0]
    vector = small.world.vectors[first.weights]
    shared = dataclasses.replace(vector, leader=first.weights, shared=True)
    for _ in range(160):
        small.world.vectors.append(shared)
        index = len(small.world.vectors) - 1
        kernel.copies.append(dataclasses.replace(first, weights=index))
    return small.sidecar_bytes()


@ATTEMPTS.add(
    SidecarError,
    "together may have 65536 copies. Received: 65539",
    memory=_LONG_MEMORY,
)
def copies_of_copies(small: SmallWorld) -> bytes:
    """65,536 copies, which one kernel may have, behind three of others: in
    many kernels, 46 kB of them are 400,000."""
    copies = small.kernel("class_head/kernel").copies
    copies *= _UNITS
    return _long(small, 40)


@ATTEMPTS.add(
    SidecarError,
    "together may have 65536 operations. Received: 65539",
    memory=_LONG_MEMORY,
)
def operations_of_operations(small: SmallWorld) -> bytes:
    """65,536 operations, which one copy may have, behind three of others;
    sound in all else. With a bias on a grid, the C++ once read its 65,536
    groups for each of them: 77 seconds."""
    copy = small.kernel("class_head/kernel").copies[0]
    copy.ops *= _UNITS
    return _long(small, 20)


def _long(small: SmallWorld, unit: int) -> bytes:
    """The sidecar whose last list, of 4 units, goes on to 65,536."""
    raw = small.body()
    end = len(raw) - _UNITS * unit
    raw = raw[: end - 4] + struct.pack("<I", 65536) + raw[end:]
    # 258 bytes are what a match of deflate repeats.
    matches = (65536 - _UNITS) * unit // 258
    return framed(
        SIDECAR_MAGIC,
        raw,
        version=1,
        stored=repeated(raw, unit, matches),
        raw_bytes=len(raw) + 258 * matches,
    )


def _count(small: SmallWorld, old: int, new: int, behind: bytes) -> bytes:
    """The sidecar with a u32 changed that stands before given bytes."""
    raw = changed(
        small.body(),
        struct.pack("<I", old) + behind,
        struct.pack("<I", new) + behind,
    )
    return of_body(raw)
