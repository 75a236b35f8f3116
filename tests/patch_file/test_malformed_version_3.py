"""What version 3 added to FORMAT.md, broken by bytes written by hand."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from object_detection_patch.patch_file import (
    AddAtCentre,
    AddProductAtCentre,
    MixOutputs,
    MixOutputsByProduct,
    errors,
    from_bytes,
)
from tests.patch_file.by_hand import framed, refused, u32


def entry(
    kind=6, value_type=1, codec=0, shape=(2, 3), stored=24, target="fpn/k"
) -> bytes:
    numbers = bytes([kind, value_type, codec, len(shape)])
    name = struct.pack("<H", len(target)) + target.encode()
    return numbers + u32(*shape) + u32(stored) + name


def build(one_entry: bytes, section: bytes, *, version=3) -> bytes:
    header = bytes(32) + b"\1\0X" + u32(1) + one_entry + u32(0, 2) + b"{}"
    header += u32(0, 0) if version > 1 else b""
    return framed(header, section, version=version)


def of_shape(*shape: int, kind: int, version=3) -> bytes:
    section = np.arange(np.prod(shape), dtype="<f4").tobytes()
    one = entry(kind=kind, shape=shape, stored=len(section))
    return build(one, section, version=version)


@pytest.mark.parametrize(
    ("kind", "edit", "shape"),
    [
        (6, AddAtCentre, (2, 3)),
        (7, AddProductAtCentre, (2, 5)),
        (8, MixOutputs, (3, 3)),
        (9, MixOutputsByProduct, (2, 4)),
    ],
)
def test_each_kind_is_read(kind, edit, shape):
    values = np.arange(np.prod(shape)).reshape(shape)
    patch = from_bytes(of_shape(*shape, kind=kind))
    assert patch.edits == (edit("fpn/k", values),)


@pytest.mark.parametrize("version", [1, 2])
def test_older_versions_know_none_of_it(version):
    for kind in (6, 7, 8, 9):
        refused(
            of_shape(2, 4, kind=kind, version=version),
            errors.UnknownEditError,
            f"one of 1 to 5. Received: {kind} ",
        )


@pytest.mark.parametrize("kind", [0, 10, 255])
def test_kinds_beyond_version_3(kind):
    refused(
        of_shape(2, 4, kind=kind),
        errors.UnknownEditError,
        f"one of 1 to 9. Received: {kind} ",
    )


@pytest.mark.parametrize("kind", [6, 7, 8, 9])
@pytest.mark.parametrize("shape", [(), (4,), (2, 2, 2)])
def test_a_matrix_has_two_dimensions(kind, shape):
    refused(of_shape(*shape, kind=kind), errors.ShapeError, "2 dimensions")


@pytest.mark.parametrize(
    ("kind", "shape", "message"),
    [
        (7, (3, 5), "a rank of at most half of its columns"),
        (9, (3, 4), "a rank of at most half of its columns"),
        (8, (2, 3), "as many rows as columns"),
        (8, (4097, 4097), "at most 4096"),
        (9, (2, 5), "an even number of columns"),
        (9, (1, 8194), "at most 8192"),
    ],
)
def test_matrices_of_other_shapes(kind, shape, message):
    one = entry(kind=kind, shape=shape, stored=4)
    refused(build(one, bytes(4)), errors.ShapeError, message)


@pytest.mark.parametrize("kind", [6, 7, 8, 9])
def test_a_matrix_holds_numbers(kind):
    one = entry(kind=kind, value_type=0, shape=(2, 4), stored=1)
    if kind == 8:
        one = entry(kind=kind, value_type=0, shape=(2, 2), stored=1)
    refused(
        build(one, b"\0"),
        errors.UnknownValueTypeError,
        r"\(1, 2, 3\). Received: 0",
    )


def test_numbers_of_a_matrix_are_finite():
    section = struct.pack("<6f", 1, 2, np.inf, 4, 5, 6)
    refused(build(entry(), section), errors.NotFiniteError, "values of 'fpn/k'")


def test_the_section_has_its_size():
    refused(
        build(entry(stored=20), bytes(20)),
        errors.SectionSizeError,
        "must have 24 bytes. Received: 20",
    )
