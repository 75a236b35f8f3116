"""Inputs of fuzzers become files whose lengths and checksums are right."""

from __future__ import annotations

import hashlib
import struct
import zlib

import pytest
from fuzz import frame

_PRELUDE = struct.Struct("<8sIIIIQ")


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 200_000])
def test_sidecar_around_a_body(size):
    body = bytes(range(250)) * (size // 250) + bytes(size % 250)
    file = frame.sidecar_file(body)
    magic, version, stored, raw, flags, length = _PRELUDE.unpack_from(file)
    assert (magic, version, flags) == (b"\x89ODB\r\n\x1a\n", 1, 0)
    assert (raw, length) == (len(body), len(file))
    assert zlib.decompress(file[32 : 32 + stored]) == body
    assert stored == len(file) - 64
    assert file[-32:] == hashlib.sha256(file[:-32]).digest()


@pytest.mark.parametrize(
    "flags, version, signed", [(0, 1, 0), (3, 2, 1), (8, 3, 0), (24, 4, 0)]
)
def test_patch_of_header_and_sections(flags, version, signed):
    file = frame.patch_of_input(bytes([flags, 6, 0]) + b"headersections")
    found = _PRELUDE.unpack_from(file)
    assert found[1] == version
    assert found[4] == signed
    assert found[5] == len(file)
    end = 32 + found[2]
    assert zlib.decompress(file[32:end]) == b"header"
    assert file[end:-32] == b"sections" + bytes(96 * signed)


def test_patch_whose_header_is_all():
    file = frame.patch_of_input(b"\x01\xff\xffheader")
    assert zlib.decompress(file[32:-32]) == b"header"


@pytest.mark.parametrize(
    "flags, kinds", [(0, (1, 3)), (1, (2, 3)), (2, (3, 1))]
)
def test_family_of_two_patches(flags, kinds):
    inputs = [bytes([8, 6, 0]) + b"headersections", bytes([0, 1, 0]) + b"hx"]
    size = len(inputs[0]).to_bytes(2, "little")
    made = frame.family_of_input(bytes([flags]) + size + b"".join(inputs))
    for file, kind, one in zip(made, kinds, inputs, strict=True):
        found = struct.unpack_from("<8sIIQ", file)
        assert found == (b"\x89ODF\r\n\x1a\n", 1, kind, len(file))
        assert file[56:-32] == frame.patch_of_input(one)
        assert file[-32:] == hashlib.sha256(file[:-32]).digest()
    assert made[0][24:56] == bytes(32)
    assert made[1][24:56] == hashlib.sha256(made[0]).digest()


def test_family_of_one_file_as_it_is():
    both = frame.family_of_input(b"\x04" + bytes(40))
    assert both[0] == both[1] == frame.patch_of_input(b"\x04" + bytes(40))
    assert frame.family_of_input(b"\0\0") == (b"", b"")


@pytest.mark.parametrize("make", [frame.patch_of_input, frame.sidecar_of_input])
def test_file_as_it_is(make):
    file = b"any file, of whatever bytes" * 3
    made = make(b"\x04" + file)
    assert made[:-32] == file[:-32]
    assert made[-32:] == hashlib.sha256(file[:-32]).digest()
    assert make(b"\x04short") == b"short"
    assert make(b"") == b""
