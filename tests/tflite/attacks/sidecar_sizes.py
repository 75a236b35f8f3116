"""Sidecars whose input sizes lie."""

from __future__ import annotations

from collections.abc import Mapping

from attacks.attempt import SIDECAR, Attempts
from attacks.frame import SIDECAR_MAGIC, framed
from attacks.sidecar_bytes import HUGE
from attacks.small_world import SmallWorld
from native.worlds import Size, u32

from object_detection_patch.tflite.errors import (
    MissingReleaseError,
    SidecarError,
)

ATTEMPTS = Attempts(SIDECAR)
# Sound ones: words that nothing else writes, and a vector of no kernel.
_WORDS = {0: 7, 252: 8}
_SPARE = 0
_CONTENTS = {_SPARE: b"metadata of another size"}


@ATTEMPTS.add(None, "", "int8")
def sound_sizes(small: SmallWorld) -> bytes:
    """Two sizes as they should be; the patch is for the base's own."""
    return _two_sizes(small)


@ATTEMPTS.add(MissingReleaseError, "which says its size")
def sizes_without_a_release(small: SmallWorld) -> bytes:
    """Two sizes for a patch that was never published, so has none."""
    return _two_sizes(small)


@ATTEMPTS.add(SidecarError, "the number of sizes must lie between 1 and 64")
def no_size(small: SmallWorld) -> bytes:
    """A version 2 without a size, of which version 1 is the one form."""
    return _sidecar(small)


@ATTEMPTS.add(SidecarError, "the number of sizes .* Received: 4294967295")
def sizes_without_end(small: SmallWorld) -> bytes:
    """2^32 - 1 sizes."""
    return _of(small, u32(320, 320, HUGE))


@ATTEMPTS.add(SidecarError, "must hold all of its fields")
def size_that_is_missing(small: SmallWorld) -> bytes:
    """Two sizes, of which one is there."""
    return _of(small, u32(320, 320, 2) + small.world.size_bytes(_size()))


@ATTEMPTS.add(SidecarError, "must end with its last field")
def bytes_behind_the_sizes(small: SmallWorld) -> bytes:
    """A byte hidden behind the last size."""
    size = small.world.size_bytes(_size())
    return _of(small, u32(320, 320, 1) + size + b"x")


@ATTEMPTS.add(SidecarError, "must end with its last field")
def sizes_in_version_1(small: SmallWorld) -> bytes:
    """Sizes where version 1 ends."""
    size = u32(320, 320, 1) + small.world.size_bytes(_size())
    return framed(SIDECAR_MAGIC, small.body() + size, version=1)


@ATTEMPTS.add(SidecarError, "a side of the image must lie between 1 and 65536")
def size_of_0_pixels(small: SmallWorld) -> bytes:
    """An image without a row."""
    return _sidecar(small, _size(height=0))


@ATTEMPTS.add(SidecarError, "a side of the image .* Received: 65537")
def size_of_too_many_pixels(small: SmallWorld) -> bytes:
    """An image wider than the limit."""
    return _sidecar(small, _size(width=2**16 + 1))


@ATTEMPTS.add(SidecarError, "each size stands once")
def size_twice(small: SmallWorld) -> bytes:
    """One size under two digests."""
    return _sidecar(small, _size(), _size(digest=b"\2" * 32))


@ATTEMPTS.add(SidecarError, "each size stands once")
def size_of_the_base_itself(small: SmallWorld) -> bytes:
    """A second description of the base's own size."""
    return _sidecar(small, _size(height=320, width=320))


@ATTEMPTS.add(SidecarError, "so does each SHA-256")
def digest_twice(small: SmallWorld) -> bytes:
    """Two sizes that one release would choose."""
    return _sidecar(small, _size(), _size(height=128))


@ATTEMPTS.add(SidecarError, "so does each SHA-256")
def digest_of_the_base_itself(small: SmallWorld) -> bytes:
    """A size that the base's own release would choose."""
    digest = small.body()[32:64]
    return _sidecar(small, _size(digest=digest))


@ATTEMPTS.add(SidecarError, "lie within the skeleton. Received: 256")
def word_behind_the_skeleton(small: SmallWorld) -> bytes:
    """A word in the first vector's number of items."""
    return _sidecar(small, _size(words={256: 1}))


@ATTEMPTS.add(SidecarError, "a position must lie .* Received: 4294967292")
def word_at_a_negative_position(small: SmallWorld) -> bytes:
    """A word at -4, which is 2^32 - 4: its end is 0 in 32 bits."""
    return _sidecar(small, _size(words={2**32 - 4: 1}))


@ATTEMPTS.add(SidecarError, "aligned and lie within the skeleton. Received: 14")
def word_not_aligned(small: SmallWorld) -> bytes:
    """A word of which a half is the first link."""
    return _sidecar(small, _size(words={14: 1}))


@ATTEMPTS.add(SidecarError, "written once. Received: 16")
def word_over_a_link(small: SmallWorld) -> bytes:
    """A word that would send a link outside of the file."""
    return _sidecar(small, _size(words={16: HUGE}))


@ATTEMPTS.add(SidecarError, "written once. Received: 200")
def word_over_a_class_number(small: SmallWorld) -> bytes:
    """A word where the number of classes is written."""
    return _sidecar(small, _size(words={200: 1}))


@ATTEMPTS.add(SidecarError, "written once. Received: 220", "int8")
def word_over_a_zero_point(small: SmallWorld) -> bytes:
    """A word on the second half of a zero point."""
    return _sidecar(small, _size(words={220: 1}))


@ATTEMPTS.add(SidecarError, "words of a size must come in ascending order")
def words_in_disorder(small: SmallWorld) -> bytes:
    """Words whose positions go back."""
    return _sidecar(small, _size(words={252: 1, 0: 1}))


@ATTEMPTS.add(SidecarError, "words of a size must come in ascending order")
def word_twice(small: SmallWorld) -> bytes:
    """Two words at one position."""
    size = small.world.size_bytes(_size(words={0: 1, 4: 2}))
    twice = size.replace(u32(4, 2), u32(0, 2))
    return _of(small, u32(320, 320, 1) + twice)


@ATTEMPTS.add(SidecarError, "number of entries .* Received: 65537")
def words_above_their_limit(small: SmallWorld) -> bytes:
    """More words than any list may have."""
    head = u32(192, 192) + b"\1" * 32
    return _of(small, u32(320, 320, 1) + head + u32(2**16 + 1))


@ATTEMPTS.add(SidecarError, "must hold all of its fields")
def words_that_are_missing(small: SmallWorld) -> bytes:
    """A list of words that the body ends within."""
    head = u32(192, 192) + b"\1" * 32
    return _of(small, u32(320, 320, 1) + head + u32(2**16, 0, 0))


@ATTEMPTS.add(SidecarError, "index of a vector must lie between 0 and 8")
def vector_of_a_size_out_of_range(small: SmallWorld) -> bytes:
    """Other contents of vector 9 of 9."""
    size = small.world.size_bytes(_size(contents={}))
    return _of(small, u32(320, 320, 1) + size[:-4] + u32(1, 9, 0))


@ATTEMPTS.add(SidecarError, "only vectors that no kernel uses")
def weights_of_a_size(small: SmallWorld) -> bytes:
    """Other weights, that no digest of the base covers."""
    index = small.world.kernels[0].copies[0].weights
    contents = {index: small.world.vectors[index].data}
    return _sidecar(small, _size(contents=contents))


@ATTEMPTS.add(SidecarError, "only vectors that no kernel uses", "int8")
def scales_of_a_size(small: SmallWorld) -> bytes:
    """Scales that would be read where no float may lie."""
    index = small.world.kernels[0].copies[0].scales
    return _sidecar(small, _size(contents={index: bytes(8)}))


@ATTEMPTS.add(SidecarError, "only vectors that no kernel uses")
def bias_of_a_size(small: SmallWorld) -> bytes:
    """A bias that is computed anyway, of another length."""
    index = small.world.kernels[0].copies[0].ops[0].bias
    return _sidecar(small, _size(contents={index: b""}))


@ATTEMPTS.add(SidecarError, "vectors of a size must come in ascending order")
def vector_of_a_size_twice(small: SmallWorld) -> bytes:
    """Two contents of one vector."""
    size = small.world.size_bytes(_size(contents={}))[:-4]
    entry = u32(_SPARE, 1) + b"x"
    return _of(small, u32(320, 320, 1) + size + u32(2) + 2 * entry)


@ATTEMPTS.add(SidecarError, "must hold all of its fields")
def contents_behind_the_body(small: SmallWorld) -> bytes:
    """Contents that end behind the body."""
    size = small.world.size_bytes(_size(contents={}))[:-4]
    entry = u32(1, _SPARE, 2**28) + b"x"
    return _of(small, u32(320, 320, 1) + size + entry)


@ATTEMPTS.add(SidecarError, "the items of a vector .* Received: 4294967295")
def contents_of_a_negative_length(small: SmallWorld) -> bytes:
    """-1 items, which is 2^32 - 1."""
    size = small.world.size_bytes(_size(contents={}))[:-4]
    entry = u32(1, _SPARE, HUGE) + b"x"
    return _of(small, u32(320, 320, 1) + size + entry)


def _size(
    *,
    height: int = 192,
    width: int = 192,
    digest: bytes = b"\1" * 32,
    words: Mapping[int, int] = _WORDS,
    contents: Mapping[int, bytes] = _CONTENTS,
) -> Size:
    return Size(height, width, dict(words), dict(contents), digest)


def _two_sizes(small: SmallWorld) -> bytes:
    return _sidecar(small, _size(), _size(height=128, digest=b"\2" * 32))


def _sidecar(small: SmallWorld, *sizes: Size) -> bytes:
    written = b"".join(map(small.world.size_bytes, sizes))
    return _of(small, u32(320, 320, len(sizes)) + written)


def _of(small: SmallWorld, sizes: bytes) -> bytes:
    """A sidecar of version 2 whose body ends in these bytes."""
    return framed(SIDECAR_MAGIC, small.body() + sizes, version=2)
