"""Patches whose directory lies: kinds, shapes, grids, lengths, targets."""

from __future__ import annotations

import struct

from attacks.attempt import PATCH, Attempts
from attacks.frame import changed
from attacks.patch_bytes import edited, of_header
from attacks.small_world import SmallWorld

from object_detection_patch.patch_file import errors

ATTEMPTS = Attempts(PATCH)
_PLANES = 2


@ATTEMPTS.add(errors.UnknownEditError, "Received: 0 for 'body/kernel'")
def edit_kind_0(small: SmallWorld) -> bytes:
    """An edit of no kind."""
    return edited(small, "body/kernel", kind=0)


@ATTEMPTS.add(errors.UnknownEditError, "Received: 6 for 'body/kernel'")
def edit_kind_6(small: SmallWorld) -> bytes:
    """An edit of a kind that is not in the closed set."""
    return edited(small, "body/kernel", kind=6)


@ATTEMPTS.add(errors.UnknownValueTypeError, "Received: 4")
def value_type_4(small: SmallWorld) -> bytes:
    """Numbers of a type that nobody knows."""
    return edited(small, "class_head/kernel", value_type=4)


@ATTEMPTS.add(errors.UnknownValueTypeError, "Received: 1 for 'body/kernel'")
def mask_of_floats(small: SmallWorld) -> bytes:
    """A mask whose bits are float32."""
    return edited(small, "body/kernel", value_type=1)


@ATTEMPTS.add(errors.UnknownValueTypeError, "Received: 3")
def grid_in_version_1(small: SmallWorld) -> bytes:
    """A grid, which only version 2 has."""
    small.patch.version = 1
    small.patch.edits.reverse()
    small.edit("class_head/bias").grid = None
    return small.patch_bytes()


@ATTEMPTS.add(errors.UnknownCodecError, "in version 1. Received: 2")
def planes_in_version_1(small: SmallWorld) -> bytes:
    """Byte planes, which only version 2 has."""
    small.patch.version = 1
    return small.patch_bytes()


@ATTEMPTS.add(errors.UnknownCodecError, "Received: 3")
def codec_3(small: SmallWorld) -> bytes:
    """A codec that nobody knows."""
    return edited(small, "class_head/kernel", codec=3)


@ATTEMPTS.add(errors.UnknownCodecError, "Received: 2 for 'deep/kernel'")
def planes_of_bits(small: SmallWorld) -> bytes:
    """Byte planes of a mask, which has no numbers of several bytes."""
    return edited(small, "deep/kernel", codec=_PLANES)


@ATTEMPTS.add(errors.ShapeError, "may have 8 dimensions. Received: 9")
def rank_9(small: SmallWorld) -> bytes:
    """A tensor of nine dimensions."""
    return edited(small, "body/kernel", shape=(1, 1, 2, 2, 1, 1, 1, 1, 1))


@ATTEMPTS.add(errors.ShapeError, "at least 1")
def dimension_0(small: SmallWorld) -> bytes:
    """A tensor without numbers."""
    return edited(small, "body/kernel", shape=(1, 0, 2, 2))


@ATTEMPTS.add(errors.ShapeError, "at most 67108864")
def negative_dimensions(small: SmallWorld) -> bytes:
    """-1 x -2 x 1 x 2: with 32 bits and signs, the product would be right."""
    shape = (2**32 - 1, 2**32 - 2, 1, 2)
    return edited(small, "body/kernel", shape=shape)


@ATTEMPTS.add(errors.ShapeError, "at most 67108864")
def product_of_2_to_the_64(small: SmallWorld) -> bytes:
    """2^31 x 2^31 x 2 x 2, which is 0 in 64 bits."""
    return edited(small, "body/kernel", shape=(2**31, 2**31, 2, 2))


@ATTEMPTS.add(errors.LimitError, "67108864 elements. Received: 6710886")
def tensors_of_512_mib(small: SmallWorld) -> bytes:
    """Two tensors at the limit of one, in sections that are not there."""
    for target in ("deep/kernel", "class_head/kernel"):
        small.edit(target).shape = (1, 1, 1, 2**26)
    header = small.patch.header()
    for target in ("deep/kernel", "class_head/kernel"):
        header = changed(header, *_lengths(small, target, 2**28 // 1000))
    return of_header(small, header)


@ATTEMPTS.add(errors.SectionSizeError, "1 bytes. Received: 4294967295")
def negative_section_length(small: SmallWorld) -> bytes:
    """A stored section of -1 bytes, which is 2^32 - 1."""
    return _length(small, "body/kernel", 2**32 - 1)


@ATTEMPTS.add(errors.SectionBoundsError, "Received: sections of 4294967")
def sections_that_would_overlap(small: SmallWorld) -> bytes:
    """Lengths whose sum is right in 32 bits only: the second section would
    begin within the first."""
    first, second = "deep/kernel", "class_head/kernel"
    both = sum(len(small.edit(name).content) for name in (first, second))
    header = changed(small.patch.header(), *_lengths(small, first, 2**32 - 8))
    header = changed(header, *_lengths(small, second, both + 8))
    return of_header(small, header)


@ATTEMPTS.add(errors.SectionBoundsError, "must fill the file")
def hole_between_sections(small: SmallWorld) -> bytes:
    """A length that is one less: a byte that no section reads."""
    size = len(small.edit("deep/kernel").content)
    return _length(small, "deep/kernel", size - 1)


@ATTEMPTS.add(errors.GridError, "2 to 8 bits. Received: 1")
def grid_of_1_bit(small: SmallWorld) -> bytes:
    """Codes of one bit."""
    return edited(small, "class_head/bias", grid=(1, 1, 2))


@ATTEMPTS.add(errors.GridError, "2 to 8 bits. Received: 9")
def grid_of_9_bits(small: SmallWorld) -> bytes:
    """Codes that do not fit in a byte."""
    return edited(small, "class_head/bias", grid=(9, 1, 2))


@ATTEMPTS.add(errors.GridError, "groups. Received: 0")
def grid_without_groups(small: SmallWorld) -> bytes:
    """A division by zero groups."""
    return edited(small, "class_head/bias", grid=(3, 1, 0))


@ATTEMPTS.add(errors.GridError, "Received: 0 times 2")
def grid_with_inner_0(small: SmallWorld) -> bytes:
    """A division by an inner size of 0."""
    return edited(small, "class_head/bias", grid=(3, 0, 2))


@ATTEMPTS.add(errors.GridError, "Received: 65536 times 65536")
def grid_product_of_2_to_the_32(small: SmallWorld) -> bytes:
    """inner x groups is 2^32: 0 in 32 bits, and a divisor of anything."""
    return edited(small, "class_head/bias", grid=(3, 65536, 65536))


@ATTEMPTS.add(errors.GridError, "1 to 65536 groups. Received: 4294967295")
def grid_of_4_billion_groups(small: SmallWorld) -> bytes:
    """2^32 - 1 groups of two numbers each."""
    return edited(small, "class_head/bias", grid=(3, 1, 2**32 - 1))


@ATTEMPTS.add(errors.GridError, "Received: 3 times 1")
def grid_that_does_not_divide(small: SmallWorld) -> bytes:
    """Groups of three in a tensor of four: the last would read beyond."""
    return edited(small, "class_head/bias", grid=(3, 3, 1))


@ATTEMPTS.add(errors.DuplicateTargetError, "'body/kernel' twice")
def target_twice(small: SmallWorld) -> bytes:
    """Two edits of one tensor: which of them counts?"""
    small.patch.edits.append(small.patch.edits[0])
    return small.patch_bytes()


@ATTEMPTS.add(errors.DuplicateTargetError, "'body/norm/gamma' twice")
def norm_and_its_gamma(small: SmallWorld) -> bytes:
    """A BatchNorm, and its gamma under a name of its own."""
    small.patch.edits.append(
        type(small.patch.edits[0])(
            *(1, "body/norm/gamma", (2,), small.edit("body/norm").values),
            content=struct.pack("<2f", 1, 1),
        )
    )
    return small.patch_bytes()


def _length(small: SmallWorld, target: str, size: int) -> bytes:
    """The patch with another length of one section in its directory."""
    header = changed(small.patch.header(), *_lengths(small, target, size))
    return of_header(small, header)


def _lengths(small: SmallWorld, target: str, size: int) -> tuple[bytes, bytes]:
    """The end of an entry as it is, and with another length."""
    name = struct.pack("<H", len(target)) + target.encode()
    right = len(small.edit(target).content)
    return struct.pack("<I", right) + name, struct.pack("<I", size) + name
