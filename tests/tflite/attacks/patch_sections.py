"""Patches whose sections lie: streams, padding, numbers."""

from __future__ import annotations

import math
import struct

from attacks.attempt import PATCH, Attempts
from attacks.frame import bomb, stored_zlib
from attacks.patch_bytes import edited
from attacks.small_world import SmallWorld

from object_detection_patch.patch_file import errors

ATTEMPTS = Attempts(PATCH)
_STORED = 0


@ATTEMPTS.add(errors.LimitError, "inflate 0 bytes")
def compressed_section_of_nothing(small: SmallWorld) -> bytes:
    """A zlib stream of no bytes."""
    return edited(small, "deep/kernel", content=b"")


@ATTEMPTS.add(errors.CompressionError, "must inflate to 1 bytes")
def section_bomb(small: SmallWorld) -> bytes:
    """A mask of one byte whose stream holds a megabyte."""
    return edited(small, "deep/kernel", content=bomb(4065))


@ATTEMPTS.add(errors.LimitError, "more than 1032 times")
def section_inflated_too_far(small: SmallWorld) -> bytes:
    """A mask of 2^26 bits from 12 bytes."""
    return edited(small, "deep/kernel", shape=(1, 1, 1, 2**26))


@ATTEMPTS.add(errors.CompressionError, "must inflate to 1 bytes")
def section_stream_cut(small: SmallWorld) -> bytes:
    """A section's stream without its last byte."""
    content = small.edit("deep/kernel").content[:-1]
    return edited(small, "deep/kernel", content=content)


@ATTEMPTS.add(errors.CompressionError, "followed by other bytes")
def bytes_behind_a_section_stream(small: SmallWorld) -> bytes:
    """Bytes hidden behind a section's stream."""
    content = small.edit("deep/kernel").content + b"hidden"
    return edited(small, "deep/kernel", content=content)


@ATTEMPTS.add(errors.CompressionError, "must inflate to 32 bytes")
def planes_a_number_short(small: SmallWorld) -> bytes:
    """Byte planes of seven numbers for a tensor of eight."""
    return edited(small, "class_head/kernel", content=stored_zlib(bytes(28)))


@ATTEMPTS.add(errors.CompressionError, "must inflate to 32 bytes")
def planes_of_unequal_size(small: SmallWorld) -> bytes:
    """Byte planes that are no whole number of numbers."""
    return edited(small, "class_head/kernel", content=stored_zlib(bytes(33)))


@ATTEMPTS.add(errors.PaddingError, "4 unused bits behind a mask")
def bits_behind_a_mask(small: SmallWorld) -> bytes:
    """Bits hidden behind the last weight."""
    return edited(small, "body/kernel", content=b"\xa1")


@ATTEMPTS.add(errors.NotFiniteError, "NaN or Inf .* 'body/norm'")
def nan_in_a_norm(small: SmallWorld) -> bytes:
    """A float16 NaN."""
    content = b"\x00\x7e" + small.edit("body/norm").content[2:]
    return edited(small, "body/norm", content=content)


@ATTEMPTS.add(errors.NotFiniteError, "NaN or Inf .* 'class_head/kernel'")
def infinity_in_a_head(small: SmallWorld) -> bytes:
    """A float32 that is infinite."""
    content = struct.pack("<8f", *7 * [0.0], math.inf)
    return edited(small, "class_head/kernel", codec=_STORED, content=content)


@ATTEMPTS.add(errors.NotFiniteError, "Scalars")
def residual_scale_nan(small: SmallWorld) -> bytes:
    """A residual scale of NaN, which is neither above 0 nor not."""
    return edited(small, "body/kernel", singles=(math.nan,))


@ATTEMPTS.add(errors.ScaleError, "Received: 0 for 'body/kernel'")
def residual_scale_0(small: SmallWorld) -> bytes:
    """A residual scale of 0."""
    return edited(small, "body/kernel", singles=(0.0,))


@ATTEMPTS.add(errors.ScaleError, "Received: -1 for 'body/kernel'")
def residual_scale_negative(small: SmallWorld) -> bytes:
    """A residual scale below 0: a second way to write a mask."""
    return edited(small, "body/kernel", singles=(-1.0,))


@ATTEMPTS.add(errors.NotFiniteError, "Scalars")
def affine_mask_infinite(small: SmallWorld) -> bytes:
    """A k2 that is infinite."""
    return edited(small, "deep/kernel", singles=(0.5, 0.25, math.inf))


@ATTEMPTS.add(errors.GridStepError, "Received: -0.25 for 'class_head/bias'")
def grid_step_negative(small: SmallWorld) -> bytes:
    """A step below 0."""
    return _gridded(small, (0.0, 1.0, 0.5, -0.25))


@ATTEMPTS.add(errors.NotFiniteError, "numbers of a grid must be finite")
def grid_step_nan(small: SmallWorld) -> bytes:
    """A step of NaN, which is not below 0."""
    return _gridded(small, (0.0, 1.0, 0.5, math.nan))


@ATTEMPTS.add(errors.NotFiniteError, "grid that reaches beyond float32")
def grid_beyond_float32(small: SmallWorld) -> bytes:
    """Finite lo and step whose values are infinite."""
    return _gridded(small, (0.0, 3e38, 0.5, 3e38))


@ATTEMPTS.add(errors.PaddingError, "behind a grid's codes")
def bits_behind_a_grid(small: SmallWorld) -> bytes:
    """Bits hidden behind the last code."""
    content = small.edit("class_head/bias").content[:-1] + b"\xc1"
    return edited(small, "class_head/bias", content=content)


@ATTEMPTS.add(errors.SectionSizeError, "must have 18 bytes. Received: 17")
def grid_a_byte_short(small: SmallWorld) -> bytes:
    """A grid whose last codes lie in the next section."""
    content = small.edit("class_head/bias").content[:-1]
    return edited(small, "class_head/bias", content=content)


def _gridded(small: SmallWorld, numbers: tuple[float, ...]) -> bytes:
    """The grid with other lo and step, two of each."""
    content = struct.pack("<4f", *numbers)
    content += small.edit("class_head/bias").content[16:]
    return edited(small, "class_head/bias", content=content)
