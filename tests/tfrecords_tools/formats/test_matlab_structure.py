"""Every rule that keeps scipy from reading beyond what is there."""

import struct
import zlib

import pytest

from tfrecords_tools.formats.matlab_structure import (
    StructureError,
    check_structure,
)

HEADER = b"MATLAB 5.0".ljust(124) + b"\x00\x01IM"
CELL, STRUCT, CHARACTERS, SPARSE, UINT8 = 1, 2, 4, 5, 9
INT8, BYTES, INT32, UINT32, MATRIX, COMPRESSED = 1, 2, 5, 6, 14, 15


def element(kind, content):
    padding = bytes(-len(content) % 8)
    return struct.pack("<II", kind, len(content)) + content + padding


def numbers(kind, *values):
    return element(kind, struct.pack(f"<{len(values)}i", *values))


def small(kind, content):
    return struct.pack("<HH4s", kind, len(content), content)


def matrix(kind, sides, content, flags=b"", name=b"v"):
    body = flags or numbers(UINT32, kind, 0)
    body += numbers(INT32, *sides) + element(INT8, name) + content
    return struct.pack("<II", MATRIX, len(body)) + body


EMPTY = struct.pack("<II", MATRIX, 0)
BYTE = matrix(UINT8, (1, 1), small(BYTES, b"\x07"), name=b"")


def fields(length, names):
    return small(INT32, struct.pack("<i", length)) + element(INT8, names)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        matrix(UINT8, (1, 1), small(BYTES, b"\x07")),
        matrix(UINT8, (2, 5), element(BYTES, bytes(10))),
        matrix(UINT8, (1, 2), small(4, bytes(4))),
        matrix(UINT8 | 0x800, (1, 1), small(BYTES, b"\1") * 2),
        matrix(CHARACTERS, (1, 3), small(BYTES, b"abc")),
        matrix(CHARACTERS, (1, 2), small(4, b"a\0b\0")),
        matrix(CHARACTERS, (1, 3), small(16, "aéb".encode())),
        matrix(CHARACTERS, (0, 0), small(BYTES, b"")),
        matrix(CELL, (1, 3), BYTE + EMPTY + BYTE),
        matrix(CELL, (0, 0), b""),
        matrix(STRUCT, (1, 2), fields(2, b"a\0b\0") + BYTE * 4),
        BYTE * 2,
        element(COMPRESSED, zlib.compress(BYTE))[
            : -(-len(zlib.compress(BYTE)) % 8) or None
        ],
    ],
)
def test_well_formed_files_pass(content):
    check_structure(HEADER + content)


@pytest.mark.parametrize(
    "header",
    [b"", HEADER[:-1], HEADER[:-4] + b"\x00\x02IM", b"\0" + HEADER[1:]],
)
def test_header_must_be_of_version_5(header):
    with pytest.raises(StructureError, match="no header of a MATLAB 5"):
        check_structure(header)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x0e\0\0", "end of data at byte 128"),
        (struct.pack("<II", MATRIX, 9), "9 bytes announced at byte 128"),
        (element(INT32, bytes(8)), "type 5, no matrix, at byte 128"),
        (EMPTY, "end of data at byte 136"),
        (matrix(SPARSE, (1, 1), BYTE), "matrix of class 5 before byte 184"),
        (matrix(0, (1, 1), b"", small(UINT32, b"abcd")), "flags of 4 bytes"),
        (matrix(0, (1, 1), b"", numbers(INT32, 9, 0)), "type 5 at byte 136"),
        (matrix(UINT8, (1,), b""), "dimensions of 4 bytes"),
        (matrix(UINT8, (1,) * 33, b""), "dimensions of 132 bytes"),
        (matrix(UINT8, (1, -1), b""), "negative dimension"),
        (matrix(UINT8, (1, 1), small(99, b"\1")), "type 99 at byte 184"),
        (matrix(UINT8, (1, 2), small(BYTES, b"\1")), "1 bytes for 2 numbers"),
        (matrix(UINT8, (1, 1), element(BYTES, bytes(9))), "9 bytes for 1"),
        (matrix(UINT8, (1, 1), b""), "end of data"),
        (
            matrix(UINT8, (1, 1), struct.pack("<HHI", BYTES, 5, 0)),
            "5 bytes announced at byte 184",
        ),
        (matrix(UINT8, (1, 1), small(BYTES, b"\1") * 2), "of a wrong size"),
        (matrix(CHARACTERS, (1, 4), small(BYTES, b"abc")), "for 4 letters"),
        (matrix(CHARACTERS, (1, 2), small(BYTES, b"abc")), "for 2 letters"),
        (matrix(CHARACTERS, (1, 4), small(4, b"a\0b\0")), "for 4 letters"),
        (matrix(CHARACTERS, (1, 4), small(16, "aéb".encode())), "4 letters"),
        (matrix(CELL, (1, 2**31 - 1), BYTE), "end of data"),
        (matrix(CELL, (1, 1), element(INT8, b"abcd")), "type 1, no matrix"),
        (matrix(STRUCT, (1, 9**9), fields(2, b"")), "unclear field names"),
        (matrix(STRUCT, (1, 1), fields(2, b"a\0a\0")), "unclear field names"),
        (matrix(STRUCT, (1, 1), fields(2, b"a\0b")), "unclear field names"),
        (matrix(STRUCT, (1, 1), fields(0, b"a\0")), "length of field names"),
        (matrix(STRUCT, (1, 1), fields(65, b"a\0")), "length of field names"),
        (element(COMPRESSED, b"abcdefgh"), "incorrect header.*byte 128"),
        (element(COMPRESSED, zlib.compress(BYTE)[:16]), "unfinished zlib"),
        (element(COMPRESSED, zlib.compress(b"")), "end of data at byte 0"),
        (
            element(COMPRESSED, zlib.compress(BYTE * 2)),
            "bytes after the matrix",
        ),
    ],
)
def test_malformed_files_are_refused(content, message):
    with pytest.raises(StructureError, match=message):
        check_structure(HEADER + content)


def test_endless_nesting_is_refused():
    content = BYTE
    for _ in range(20):
        content = matrix(CELL, (1, 1), content, name=b"")
    with pytest.raises(StructureError, match="too deep nesting"):
        check_structure(HEADER + content)
