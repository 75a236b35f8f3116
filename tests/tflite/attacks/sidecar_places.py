"""Sidecars whose vectors, links and positions lie."""

from __future__ import annotations

import struct

from attacks.attempt import SIDECAR, Attempts
from attacks.sidecar_bytes import poked
from attacks.small_world import SmallWorld

from object_detection_patch.tflite.errors import SidecarError

ATTEMPTS = Attempts(SIDECAR)
# Where the first vector is described in the body, and each takes 10 bytes.
_VECTORS, _VECTOR_BYTES = 89, 10


@ATTEMPTS.add(SidecarError, "the items of a vector must lie between 0")
def vector_of_2_to_the_28_and_1(small: SmallWorld) -> bytes:
    """More items than any vector may have."""
    return _vector(small, 0, items=2**28 + 1)


@ATTEMPTS.add(SidecarError, "the items of a vector .* Received: 4294967295")
def negative_vector_length(small: SmallWorld) -> bytes:
    """-1 items, which is 2^32 - 1."""
    return _vector(small, 0, items=2**32 - 1)


@ATTEMPTS.add(SidecarError, "end within base.tflite")
def vectors_beyond_the_base(small: SmallWorld) -> bytes:
    """A vector of 2^28 items in a base of 590 bytes."""
    return _vector(small, 0, items=2**28)


@ATTEMPTS.add(SidecarError, "1, 4 or 8")
def items_of_3_bytes(small: SmallWorld) -> bytes:
    """Items of a size that no tensor has."""
    return _vector(small, 0, item_bytes=3)


@ATTEMPTS.add(SidecarError, "1, 4 or 8")
def items_of_0_bytes(small: SmallWorld) -> bytes:
    """Items of no bytes, by which a length would be divided."""
    return _vector(small, 0, item_bytes=0)


@ATTEMPTS.add(SidecarError, "reference to a leader must lie between 0 and 4")
def leader_that_comes_later(small: SmallWorld) -> bytes:
    """A leader without a place yet."""
    return _vector(small, 4, leader=5)


@ATTEMPTS.add(SidecarError, "reference to a leader must lie between 0 and 4")
def leader_of_itself(small: SmallWorld) -> bytes:
    """A vector that leads itself."""
    return _vector(small, 4, leader=4)


@ATTEMPTS.add(SidecarError, "reference to a leader .* Received: 4294967295")
def leader_out_of_range(small: SmallWorld) -> bytes:
    """A leader of index 2^32 - 2."""
    return _vector(small, 4, leader=2**32 - 2)


@ATTEMPTS.add(SidecarError, "leader")
def leader_with_a_leader(small: SmallWorld) -> bytes:
    """A chain of leaders, to be followed for ever."""
    return _vector(small, 5, leader=3)


@ATTEMPTS.add(SidecarError, "leader", "int8")
def leader_of_other_items(small: SmallWorld) -> bytes:
    """A leader whose items have another size."""
    return _vector(small, 2, leader=1)


@ATTEMPTS.add(SidecarError, "leader")
def shared_without_a_leader(small: SmallWorld) -> bytes:
    """A place shared with nobody."""
    return _vector(small, 4, shared=True)


@ATTEMPTS.add(SidecarError, "leader")
def shared_with_a_shorter_vector(small: SmallWorld) -> bytes:
    """A vector that would reach beyond its leader's place."""
    return _vector(small, 3, leader=2)


@ATTEMPTS.add(SidecarError, "index of a vector must lie between 0 and 8")
def link_to_no_vector(small: SmallWorld) -> bytes:
    """A link to vector 9 of 9."""
    return _link(small, 0, 16, 9)


@ATTEMPTS.add(SidecarError, "index of a vector .* Received: 4294967295")
def link_out_of_range(small: SmallWorld) -> bytes:
    """A link to vector -1."""
    return _link(small, 0, 16, 2**32 - 1)


@ATTEMPTS.add(SidecarError, "reference to the metadata")
def metadata_out_of_range(small: SmallWorld) -> bytes:
    """Metadata in vector 9 of 9."""
    small.world.metadata = 9
    return small.sidecar_bytes()


@ATTEMPTS.add(SidecarError, "written once. Received: 16")
def links_at_one_position(small: SmallWorld) -> bytes:
    """Two links that overlap."""
    return _link(small, 1, 16, 1)


@ATTEMPTS.add(SidecarError, "ascending order")
def links_in_disorder(small: SmallWorld) -> bytes:
    """Links whose positions go back."""
    return _link(small, 0, 24, 0)


@ATTEMPTS.add(SidecarError, "aligned and lie within the skeleton. Received: 18")
def link_not_aligned(small: SmallWorld) -> bytes:
    """A link that overlaps half of another."""
    return _link(small, 0, 18, 0)


@ATTEMPTS.add(SidecarError, "lie within the skeleton. Received: 256")
def link_behind_the_skeleton(small: SmallWorld) -> bytes:
    """A link in the first vector's number of items."""
    return _link(small, 8, 256, 8)


@ATTEMPTS.add(SidecarError, "a position must lie .* Received: 4294967292")
def negative_position(small: SmallWorld) -> bytes:
    """A link at -4, which is 2^32 - 4: its end is 0 in 32 bits."""
    return _link(small, 8, 2**32 - 4, 8)


@ATTEMPTS.add(SidecarError, "written once. Received: 16")
def class_number_over_a_link(small: SmallWorld) -> bytes:
    """A class number that would become a link."""
    small.world.numbers = [(16, 1, 1)]
    return small.sidecar_bytes()


@ATTEMPTS.add(SidecarError, "a factor must lie between 1")
def class_number_of_factor_0(small: SmallWorld) -> bytes:
    """A class number that does not depend on the classes."""
    small.world.numbers = [(200, 0, 1)]
    return small.sidecar_bytes()


@ATTEMPTS.add(SidecarError, "a factor must lie .* Received: 65537")
def class_number_of_a_large_factor(small: SmallWorld) -> bytes:
    """A factor above its limit."""
    small.world.numbers = [(200, 65537, 1)]
    return small.sidecar_bytes()


@ATTEMPTS.add(SidecarError, "written once", "int8")
def zero_point_over_a_scale(small: SmallWorld) -> bytes:
    """The second half of a zero point on a scale."""
    small.world.activations = [(212, 208), (220, 224)]
    return small.sidecar_bytes()


@ATTEMPTS.add(SidecarError, "written once", "int8")
def zero_points_at_one_position(small: SmallWorld) -> bytes:
    """Two zero points that overlap."""
    small.world.activations = [(208, 216), (212, 216)]
    return small.sidecar_bytes()


@ATTEMPTS.add(SidecarError, "aligned and lie within the skeleton", "int8")
def zero_point_not_aligned(small: SmallWorld) -> bytes:
    """A zero point at a multiple of 4 that is none of 8."""
    small.world.activations = [(208, 220), (212, 232)]
    return small.sidecar_bytes()


@ATTEMPTS.add(SidecarError, "int8 base must list its activations")
def activations_of_floats(small: SmallWorld) -> bytes:
    """A base of floats that lists an activation."""
    small.world.activations = [(208, 216)]
    return small.sidecar_bytes()


@ATTEMPTS.add(SidecarError, "int8 base must list its activations", "int8")
def int8_without_activations(small: SmallWorld) -> bytes:
    """An int8 base without one."""
    small.world.activations = []
    for kernel in small.world.kernels:
        for copy in kernel.copies:
            copy.ops[0].activation = None
    return small.sidecar_bytes()


def _vector(
    small: SmallWorld,
    index: int,
    *,
    item_bytes: int | None = None,
    items: int | None = None,
    leader: int | None = None,
    shared: bool | None = None,
) -> bytes:
    """The sidecar with a vector described otherwise."""
    at = _VECTORS + _VECTOR_BYTES * index
    fields = struct.unpack_from("<BIIB", small.body(), at)
    given = (item_bytes, items, leader and leader + 1, shared)
    chosen = [
        old if new is None else new
        for old, new in zip(fields, given, strict=True)
    ]
    return poked(small, at, struct.pack("<BIIB", *chosen))


def _link(small: SmallWorld, index: int, position: int, vector: int) -> bytes:
    """The sidecar with another link."""
    small.world.links[index] = (position, vector)
    return small.sidecar_bytes()
