"""Reading from disk; broken bytes are in test_malformed.py."""

from __future__ import annotations

import hashlib
import os
import pathlib
import struct
import zlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from object_detection_patch.patch_file import (
    Patch,
    PatchFileError,
    errors,
    from_bytes,
    layout,
    read_patch,
    to_bytes,
)

EMPTY = Patch("X", "ab" * 32, ())


def test_error_names_the_file(tmp_path):
    path = tmp_path / "a.patch"
    path.write_bytes(to_bytes(EMPTY)[:-1])
    with pytest.raises(errors.LengthError, match=r"copy it again. \(.*a.patch"):
        read_patch(path)


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_patch(tmp_path / "a.patch")


def test_huge_file_is_not_read(tmp_path):
    path = tmp_path / "a.patch"
    with open(path, "wb") as file:
        file.truncate(2**31 + 1)
    with pytest.raises(errors.LimitError, match="2147483648 bytes.*a.patch"):
        read_patch(path)


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="needs /dev/zero")
def test_device_without_end():
    with pytest.raises(errors.LengthError, match="at least 64 bytes"):
        read_patch("/dev/zero")


def test_reads_any_buffer():
    data = to_bytes(EMPTY)
    for buffer in (bytearray(data), memoryview(data)):
        assert from_bytes(buffer) == EMPTY


@given(st.binary(max_size=200))
@example(b"")
@example(bytes(64))
def test_any_bytes_are_refused(data):
    with pytest.raises(PatchFileError):
        from_bytes(data)
    with pytest.raises(PatchFileError):
        from_bytes(layout.MAGIC + data)


@given(raw=st.binary(max_size=120), sections=st.binary(max_size=8))
@example(raw=bytes(34) + bytes(8) + b"\2\0\0\0{}", sections=b"")
def test_any_header_ends_in_a_patch_or_a_refusal(raw, sections):
    stored = zlib.compress(raw)
    size = 64 + len(stored) + len(sections)
    prelude = struct.pack(
        "<8sIIIIQ", layout.MAGIC, 1, len(stored), len(raw), 0, size
    )
    content = prelude + stored + sections
    try:
        patch = from_bytes(content + hashlib.sha256(content).digest())
    except PatchFileError:
        return
    assert from_bytes(to_bytes(patch)) == patch


def test_constants_are_those_of_the_specification():
    page = pathlib.Path(layout.__file__).with_name("FORMAT.md")
    text = " ".join(page.read_text(encoding="utf-8").split())

    assert layout.MAGIC.hex(" ").upper() in text
    assert layout.PRELUDE.size == 32
    assert f"| text | {layout.MAX_TEXT_BYTES:,} bytes |" in text
    assert f"| {layout.MAX_EDITS:,} each |" in text
    assert layout.MAX_EDITS == layout.MAX_LABELS
    assert layout.MAX_HEADER_BYTES == 4 * 2**20
    assert layout.MAX_FILE_BYTES == 2 * 2**30
    assert layout.MAX_ELEMENTS == 2**28
    assert f"{layout.MAX_INFLATION:,} times the stored" in text
    assert f"at most {layout.MAX_JSON_DEPTH} levels" in text
    assert f"rank, 0 to {layout.MAX_RANK}" in text


def test_every_error_class_is_told_apart():
    rules = [
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, PatchFileError)
    ]

    assert len(rules) > 25
    assert all(rule.__doc__ for rule in rules)
