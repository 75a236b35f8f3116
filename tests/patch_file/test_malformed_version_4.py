"""What version 4 added to FORMAT.md, broken by bytes written by hand."""

from __future__ import annotations

import struct
import tracemalloc
import zlib

import numpy as np
import pytest

from object_detection_patch.patch_file import (
    PatchFileError,
    errors,
    from_bytes,
    reader,
)
from tests.patch_file.by_hand import framed, refused, u32

# lo 1 and -1, step 0.5 and 2 in float16, codes 0 1 2 3 and 3 2 1 0.
NUMBERS = struct.pack("<4e", 1, -1, 0.5, 2)
CODES = bytes([0b00011011, 0b11100100])


def build(
    section: bytes = NUMBERS + CODES,
    *,
    version=4,
    kind=1,
    value_type=4,
    codec=0,
    shape=(2, 4),
    bits=2,
    inner=4,
    groups=2,
) -> bytes:
    header = bytes(32) + b"\1\0X" + u32(1)
    header += bytes([kind, value_type, codec, len(shape)]) + u32(*shape)
    header += struct.pack("<BII", bits, inner, groups) + u32(len(section))
    header += b"\5\0fpn/k" + u32(0, 2) + b"{}" + u32(0, 0)
    return framed(header, section, version=version)


@pytest.mark.parametrize("codec", [0, 1])
def test_the_hand_made_half_grid_is_good_before_it_is_broken(codec):
    section = NUMBERS + CODES
    section = zlib.compress(section) if codec else section
    (edit,) = from_bytes(build(section, codec=codec)).edits

    assert edit.values.dtype == np.float32
    assert edit.values.tolist() == [[1, 1.5, 2, 2.5], [5, 3, 1, -1]]


def test_half_grid_of_a_batch_norm():
    (edit,) = from_bytes(build(kind=5)).edits

    assert edit.scale.tolist() == [1, 1.5, 2, 2.5]
    assert edit.offset.tolist() == [5, 3, 1, -1]


def test_its_numbers_are_widened_before_they_are_used():
    # 65504 + 3 * 65504 is beyond float16 and 0.1 no float16.
    section = struct.pack("<4e", 65504, 0.1, 65504, 0.1) + CODES
    (edit,) = from_bytes(build(section)).edits
    tenth = np.float32(np.float16(0.1))

    assert edit.values[0, 3] == 4 * 65504
    assert edit.values[1, 0] == tenth + np.float32(3) * tenth


def test_the_bound_on_its_error(tmp_path):
    path = tmp_path / "half.patch"
    path.write_bytes(build())

    # Half of the second step, and what float16 may have moved 5.
    assert reader.read_file(path).max_errors == (1 + 5 / 2048,)


@pytest.mark.parametrize("version", [2, 3])
def test_half_grid_in_an_older_version(version):
    with pytest.raises(PatchFileError, match="Received"):
        from_bytes(build(version=version))


@pytest.mark.parametrize("kind", [2, 3, 4])
def test_half_grid_of_a_mask(kind):
    refused(build(kind=kind), errors.UnknownValueTypeError, "Received: 4 for")


def test_value_type_and_version_beyond_4():
    data = build(value_type=5, codec=2)
    with pytest.raises(PatchFileError, match="Received"):
        from_bytes(data)
    refused(build(version=5), errors.VersionError, "1 to 4.*version 5")


@pytest.mark.parametrize("bits", [0, 1, 9])
def test_bits(bits):
    refused(build(bits=bits), errors.GridError, f"2 to 8 bits.* {bits} for")


@pytest.mark.parametrize("size", [9, 11, 18])
def test_size(size):
    refused(
        build((NUMBERS + CODES).ljust(18, b"\0")[:size]),
        errors.SectionSizeError,
        f"must have 10 bytes. Received: {size}",
    )


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("position", range(4))
def test_numbers_not_finite(number, position):
    numbers = [1.0, -1.0, 0.5, 2.0]
    numbers[position] = number
    refused(
        build(struct.pack("<4e", *numbers) + CODES),
        errors.NotFiniteError,
        "numbers of a grid must be finite",
    )


@pytest.mark.parametrize("step", [-0.5, -6e-8])
def test_step_below_zero(step):
    refused(
        build(struct.pack("<4e", 1, 1, 1, step) + CODES),
        errors.GridStepError,
        "must be 0 or above. Received: -",
    )


@pytest.mark.parametrize(("bits", "groups"), [(2, 1), (5, 2**16), (8, 2**16)])
def test_memory_of_a_large_half_grid(bits, groups):
    # A quarter of the largest, which would take seconds.
    elements = 2**24
    section = zlib.compress(bytes(4 * groups + bits * elements // 8))
    data = build(
        section, codec=1, shape=(elements,), bits=bits, inner=1, groups=groups
    )
    tracemalloc.start()
    try:
        from_bytes(data)
        peak = tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()

    assert 64 < peak <= 64 * 1.5
