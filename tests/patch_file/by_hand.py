"""Patch files of bytes written by hand, and how a reader refuses them."""

from __future__ import annotations

import hashlib
import struct
import zlib

import pytest

from object_detection_patch.patch_file import PatchFileError, from_bytes


def u32(*numbers: int) -> bytes:
    return struct.pack(f"<{len(numbers)}I", *numbers)


def framed(header: bytes, section: bytes, *, version: int) -> bytes:
    """A file whose lengths and checksum are right."""
    stored = zlib.compress(header)
    size = 64 + len(stored) + len(section)
    content = b"\x89ODP\r\n\x1a\n" + struct.pack(
        "<IIIIQ", version, len(stored), len(header), 0, size
    )
    content += stored + section
    return content + hashlib.sha256(content).digest()


def refused(data: bytes, error: type[PatchFileError], message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        from_bytes(data)
    assert type(caught.value) is error
    assert "Received" in str(caught.value)
