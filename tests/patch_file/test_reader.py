"""Reading from disk; broken bytes are in test_malformed.py."""

from __future__ import annotations

import hashlib
import io
import os
import pathlib
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from object_detection_patch.patch_file import (
    Patch,
    PatchFileError,
    Replace,
    errors,
    from_bytes,
    layout,
    read_patch,
    reader,
    to_bytes,
    write_patch,
)

EMPTY = Patch("X", "ab" * 32, ())
LARGE = Patch("X", "ab" * 32, (Replace("k", np.arange(50_000)),))


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
    size = 2**28 + 2**23 + 1
    with open(path, "wb") as file:
        file.write(struct.pack("<8sIIIIQ", layout.MAGIC, 1, 9, 9, 0, size))
        file.truncate(size)
    peak = _peak_of_refusal(
        path, errors.LimitError, "may have 276824064 bytes.*a.patch"
    )

    assert peak < 2**20


def test_huge_file_of_another_kind_is_not_read(tmp_path):
    path = tmp_path / "a.tar"
    with open(path, "wb") as file:
        file.truncate(2**31)

    assert _peak_of_refusal(path, errors.MagicError, "begins with") < 2**20


class _Counted(io.BytesIO):
    """Counts the bytes that were read from it."""

    count = 0

    def read(self, size=-1):
        taken = super().read(size)
        self.count += len(taken)
        return taken


@pytest.mark.parametrize(
    ("prelude", "error"),
    [
        ((b"PK\3\4\0\0\0\0", 1, 9, 9, 0, 1000), errors.MagicError),
        ((layout.MAGIC, 5, 9, 9, 0, 1000), errors.VersionError),
        ((layout.MAGIC, 1, 9, 9, 1, 1000), errors.ReservedError),
        ((layout.MAGIC, 2, 9, 9, 2, 1000), errors.ReservedError),
        ((layout.MAGIC, 2, 841, 9, 1, 1000), errors.HeaderBoundsError),
        ((layout.MAGIC, 1, 9, 9, 0, 1001), errors.LengthError),
        ((layout.MAGIC, 1, 2**23, 9, 0, 1000), errors.LimitError),
        ((layout.MAGIC, 1, 999, 9, 0, 1000), errors.HeaderBoundsError),
        ((layout.MAGIC, 1, 9, 9999, 0, 1000), errors.LimitError),
    ],
)
def test_what_the_prelude_tells_is_refused_after_32_bytes(prelude, error):
    data = struct.pack("<8sIIIIQ", *prelude).ljust(1000, b"\0")
    file = _Counted(data)
    with pytest.raises(error):
        reader.parse(file, len(data))

    assert file.count == 32


def test_sections_are_not_read_before_the_header_is_good():
    data = bytearray(to_bytes(LARGE))
    data[40] ^= 0xFF
    file = _Counted(data)
    with pytest.raises(errors.CompressionError, match="The header"):
        reader.parse(file, len(data))

    assert file.count < 500


def test_file_that_shrinks_while_it_is_read():
    data = to_bytes(LARGE)
    message = f"one of {len(data)} bytes that now ends at byte {len(data) - 40}"
    with pytest.raises(errors.LengthError, match=message):
        reader.parse(io.BytesIO(data[:-40]), len(data))


def test_file_that_grows_while_it_is_read():
    data = to_bytes(LARGE)
    file = _Counted(data + bytes(10**6))

    assert reader.parse(file, len(data)).patch == LARGE
    assert file.count == len(data)


def _peak_of_refusal(path, error, message) -> int:
    tracemalloc.start()
    try:
        with pytest.raises(error, match=message):
            read_patch(path)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


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


@given(
    counts=st.binary(max_size=120),
    sections=st.binary(max_size=8),
    signed=st.booleans(),
)
@example(counts=bytes(4), sections=b"", signed=True)
def test_any_header_of_version_2_as_well(counts, sections, signed):
    raw = bytes(34) + bytes(8) + b"\2\0\0\0{}" + bytes(4) + counts
    stored = zlib.compress(raw)
    size = 64 + len(stored) + len(sections) + 96 * signed
    prelude = struct.pack(
        "<8sIIIIQ", layout.MAGIC, 2, len(stored), len(raw), signed, size
    )
    content = prelude + stored + sections + bytes(96 * signed)
    try:
        patch = from_bytes(content + hashlib.sha256(content).digest())
    except PatchFileError:
        return
    assert from_bytes(to_bytes(patch)) == patch


def test_metadata_may_be_left_out(tmp_path):
    patch = Patch("X", "ab" * 32, (), (), {"a": 1})
    write_patch(tmp_path / "a.patch", patch)
    path = tmp_path / "a.patch"

    assert read_patch(path).metadata == {"a": 1}
    assert read_patch(path, metadata=False) == EMPTY
    assert from_bytes(path.read_bytes(), metadata=False) == EMPTY
    assert reader.read_file(path, metadata=False).patch == EMPTY


def test_constants_are_those_of_the_specification():
    page = pathlib.Path(layout.__file__).with_name("FORMAT.md")
    text = " ".join(page.read_text(encoding="utf-8").split())

    assert layout.MAGIC.hex(" ").upper() in text
    assert layout.PRELUDE.size == 32
    assert f"| text | {layout.MAX_TEXT_BYTES:,} bytes |" in text
    assert f"| {layout.MAX_EDITS:,} each |" in text
    assert layout.MAX_EDITS == layout.MAX_LABELS
    assert layout.MAX_HEADER_BYTES == 4 * 2**20
    assert layout.MAX_FILE_BYTES == 264 * 2**20
    assert "| file | 264 MiB |" in text
    assert layout.MAX_ELEMENTS == 2**26
    assert "sum of products | 1 to 2^26 |" in text
    assert layout.MAX_METADATA_BYTES == 256 * 2**10
    assert "| metadata | 256 KiB |" in text
    assert f"{layout.MAX_INFLATION:,} times the stored" in text
    assert f"at most {layout.MAX_JSON_DEPTH} levels" in text
    assert f"rank, 0 to {layout.MAX_RANK}" in text
    assert layout.VERSIONS == (1, 2, 3, 4)
    assert f"mixed (3) | {layout.MAX_MIXED_OUTPUTS:,} |" in text
    assert f"blocks of {layout.PLANE_BLOCK:,};" in text
    assert (layout.MIN_GRID_BITS, layout.MAX_GRID_BITS) == (2, 8)
    assert "`bits` is 2 to 8" in text
    assert f"groups of a grid (2) | {layout.MAX_GRID_GROUPS:,} |" in text
    assert f"| releases (2) | {layout.MAX_RELEASES} |" in text
    assert f"| {layout.MAX_ACTIVATIONS:,} in all releases" in text
    assert layout.MAX_MODEL_METADATA_BYTES == 64 * 2**10
    assert "| model metadata (2) | 64 KiB |" in text
    assert (layout.ZERO_POINTS[0], layout.ZERO_POINTS[-1]) == (-128, 127)
    assert "zero point, -128 to 127 |" in text


def test_every_error_class_is_told_apart():
    rules = [
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, PatchFileError)
    ]

    assert len(rules) > 25
    assert all(rule.__doc__ for rule in rules)
