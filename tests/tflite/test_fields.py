"""Little-endian fields, against struct."""

from __future__ import annotations

import struct

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from object_detection_patch.tflite.errors import SidecarError
from object_detection_patch.tflite.fields import FieldReader, FieldWriter


def test_every_field_in_turn():
    raw = struct.pack("<BIQII", 7, 8, 2**63, 0, 3)
    raw += struct.pack("<H3s2f", 3, b"a/b", 1.5, -0.0) + b"rest"
    fields = FieldReader(raw)
    assert (fields.u8(), fields.u32("x", 8, 8), fields.u64()) == (7, 8, 2**63)
    assert fields.reference("x", 3) is None
    assert fields.reference("x", 3) == 2
    assert fields.name() == "a/b"
    found = fields.floats(2)
    assert found.tobytes() == struct.pack("<2f", 1.5, -0.0)
    assert fields.take(4) == b"rest"
    fields.finish()


def test_a_writer_writes_what_a_reader_reads():
    out = FieldWriter()
    out.u8(7)
    out.u32(1, 2**32 - 1)
    out.u64(2**64 - 1)
    out.reference(None)
    out.reference(2)
    out.name("é")
    out.floats(np.float32([1.5, -0.0]), 2)
    out.digest("0aff" * 16)
    assert out.joined() == (
        struct.pack("<BIIQII", 7, 1, 2**32 - 1, 2**64 - 1, 0, 3)
        + b"\x02\x00\xc3\xa9"
        + struct.pack("<2f", 1.5, -0.0)
        + b"\x0a\xff" * 16
    )


@pytest.mark.parametrize(
    ("method", "arguments", "size"),
    [
        ("u8", (), 1),
        ("u32", ("x", 9), 4),
        ("u64", (), 8),
        ("reference", ("x", 9), 4),
        ("floats", (2,), 8),
        ("take", (5,), 5),
    ],
)
def test_a_field_that_is_cut_short(method, arguments, size):
    for length in range(size):
        fields = FieldReader(bytes(length))
        with pytest.raises(
            SidecarError,
            match=rf"must hold all of its fields\. Received: one of {length} "
            rf"bytes that ends within a field of {size} at byte 0\.",
        ):
            getattr(fields, method)(*arguments)


def test_a_name_that_is_cut_short():
    for raw in (b"", b"\x03", b"\x03\x00", b"\x03\x00ab"):
        with pytest.raises(SidecarError, match="all of its fields"):
            FieldReader(raw).name()


def test_no_count_is_believed_before_the_bytes_are_there():
    """2^26 numbers would be 256 MiB."""
    with pytest.raises(SidecarError, match=f"a field of {2**28} at byte 0"):
        FieldReader(bytes(100)).floats(2**26)


@pytest.mark.parametrize("value", [0, 4, 2**32 - 1])
def test_a_number_out_of_range(value):
    fields = FieldReader(struct.pack("<I", value))
    with pytest.raises(
        SidecarError,
        match=rf"the foo must lie between 1 and 3\. Received: {value}\.",
    ):
        fields.u32("the foo", 3, 1)


def test_a_reference_out_of_range():
    with pytest.raises(
        SidecarError, match="reference to foo must lie between 0 and 3"
    ):
        FieldReader(struct.pack("<I", 4)).reference("foo", 3)


@pytest.mark.parametrize(
    "encoded",
    [b"\xff", b"\xed\xa0\x80", b"a\nb", b"a\xe2\x80\x8b", b"\xc2\xad", b"\0"],
)
def test_names_that_look_like_others(encoded):
    raw = struct.pack("<H", len(encoded)) + encoded
    with pytest.raises(
        SidecarError,
        match="A name in a sidecar must be UTF-8 without control or invisible",
    ):
        FieldReader(raw).name()


def test_an_empty_name():
    with pytest.raises(SidecarError, match=r"must not be empty\. Received: ''"):
        FieldReader(b"\0\0").name()


def test_a_long_name():
    fits = FieldReader(struct.pack("<H", 1024) + b"x" * 1024)
    assert len(fits.name()) == 1024
    with pytest.raises(
        SidecarError, match=r"A name may have 1024 bytes\. Received: 1025\."
    ):
        FieldReader(struct.pack("<H", 1025) + b"x" * 1025).name()


@pytest.mark.parametrize(
    "bits", [0x7F800000, 0xFF800000, 0x7FC00000, 0x7F800001]
)
def test_numbers_that_are_not_finite(bits):
    fields = FieldReader(struct.pack("<fI", 1.0, bits))
    with pytest.raises(SidecarError, match=r"NaN or Inf before byte 8\."):
        fields.floats(2)


def test_bytes_behind_the_last_field():
    fields = FieldReader(bytes(5))
    fields.take(2)
    with pytest.raises(
        SidecarError, match=r"end with its last field\. Received: 3 bytes"
    ):
        fields.finish()


@pytest.mark.parametrize(
    ("method", "value"),
    [
        ("u8", 256),
        ("u8", -1),
        ("u32", 2**32),
        ("u32", -1),
        ("u64", 2**64),
        ("u32", 1.5),
        ("reference", -2),
    ],
)
def test_an_integer_that_has_no_place(method, value):
    with pytest.raises(SidecarError, match="an integer must fit in its field"):
        getattr(FieldWriter(), method)(value)


@pytest.mark.parametrize("digest", ["", "ab" * 31, "AB" * 32, "zz" * 32])
def test_a_digest_that_is_none(digest):
    with pytest.raises(SidecarError, match="64 lower-case hexadecimal digits"):
        FieldWriter().digest(digest)


@pytest.mark.parametrize(
    "values",
    [np.zeros(3), np.zeros(2, np.float32), np.zeros((3, 1), np.float32)],
)
def test_numbers_of_another_type_or_shape(values):
    with pytest.raises(SidecarError, match="numbers must be 3 float32"):
        FieldWriter().floats(values, 3)


@pytest.mark.parametrize("name", ["x" * 1025, "\ud800"])
def test_a_name_that_has_no_bytes(name):
    with pytest.raises(SidecarError, match="`name`"):
        FieldWriter().name(name)


@hypothesis.given(st.text(max_size=300))
def test_names_come_back_or_are_refused(text):
    out = FieldWriter()
    try:
        out.name(text)
        found = FieldReader(out.joined()).name()
    except SidecarError:
        return
    assert found == text
