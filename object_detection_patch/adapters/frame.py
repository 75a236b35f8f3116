"""What stands around the patch within a family's file (FORMAT.md)."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import os
import struct
from collections.abc import Callable
from typing import TypeVar

from object_detection_patch.patch_file import errors, layout, reader
from object_detection_patch.patch_file.reader import ParsedFile
from object_detection_patch.patch_file.source import Readable, Source

Content = TypeVar("Content")

VERSION = 1
SHARED_PARALLEL, SHARED_SERIES, TASK = 1, 2, 3
KINDS = (SHARED_PARALLEL, SHARED_SERIES, TASK)
DIGEST_BYTES = 32
# magic, version, kind, file bytes, SHA-256 of the shared file (zeros in one)
FRAME = struct.Struct("<8sIIQ32s")
AROUND_BYTES = FRAME.size + layout.CHECKSUM_BYTES
MAX_FILE_BYTES = layout.MAX_FILE_BYTES + AROUND_BYTES
_LEAST_PATCH = layout.PRELUDE.size + layout.CHECKSUM_BYTES
_LEAST = AROUND_BYTES + _LEAST_PATCH
_NO_DIGEST = bytes(DIGEST_BYTES)


@dataclasses.dataclass(frozen=True)
class FamilyFile:
    """A family's file whose bytes are right; what it holds is unchecked.

    Args:
      kind: of `KINDS`.
      shared_sha256: that a task file names, 64 hexadecimal digits; empty in
        a shared file.
      within: the patch within.
      file_bytes: length of the file.
      sha256: of the whole file, 64 hexadecimal digits.
    """

    kind: int
    shared_sha256: str
    within: ParsedFile
    file_bytes: int
    sha256: str


def framed(kind: int, patch: bytes, shared_sha256: str = "") -> bytes:
    """The bytes of a family's file around those of a patch file."""
    content = FRAME.pack(
        layout.FAMILY_MAGIC,
        VERSION,
        kind,
        AROUND_BYTES + len(patch),
        bytes.fromhex(shared_sha256) or _NO_DIGEST,
    )
    content += patch
    return content + hashlib.sha256(content).digest()


def is_family_file(path: str | os.PathLike[str]) -> bool:
    """Whether a file begins as those of a family do."""
    with open(path, "rb") as file:
        return file.read(len(layout.FAMILY_MAGIC)) == layout.FAMILY_MAGIC


def read(
    path: str | os.PathLike[str], understood: Callable[[FamilyFile], Content]
) -> Content:
    """Reads a family's file and what it holds.

    Args:
      path: the file.
      understood: makes the result of what was read, or raises PatchFileError.

    Raises:
      PatchFileError: if it breaks a rule of FORMAT.md.
      OSError: if it cannot be read.
    """
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            return understood(_parse(file, size))
    except errors.PatchFileError as error:
        error.args = (f"{error} ({os.fspath(path)})",)
        raise


def parse(data: bytes) -> FamilyFile:
    """The file in these bytes, its contents unchecked; errors of `read`."""
    return _parse(io.BytesIO(data), len(data))


class _Within:
    """The next bytes of a source, as a file of their own."""

    def __init__(self, source: Source) -> None:
        self.read = source.take


def _parse(file: Readable, size: int) -> FamilyFile:
    source = Source(file, size)
    kind, digest = _checked_frame(source)
    within = reader.parse(_Within(source), size - AROUND_BYTES)
    _check_checksum(source)
    return FamilyFile(
        kind,
        digest.hex() if kind == TASK else "",
        within,
        size,
        source.digest().hex(),
    )


def _checked_frame(source: Source) -> tuple[int, bytes]:
    """Kind and the named SHA-256, once all of the frame is right."""
    if source.size < _LEAST:
        raise errors.LengthError(
            f"A family's file has at least {_LEAST} bytes. Received: "
            f"{source.size}; it is cut short or no family's file."
        )
    magic, version, kind, file_bytes, digest = FRAME.unpack(
        source.take(FRAME.size)
    )
    _check_magic(magic, version)
    if kind not in KINDS:
        raise errors.ReservedError(
            "The kind of a family's file must be 1 or 2 (shared) or 3 (task). "
            f"Received: {kind}."
        )
    _check_length(file_bytes, source.size)
    if kind != TASK and digest != _NO_DIGEST:
        raise errors.ReservedError(
            "Bytes 24 to 55 of a shared file must be 0. Received: "
            f"{digest.hex()}."
        )
    return kind, digest


def _check_magic(magic: bytes, version: int) -> None:
    if magic == layout.MAGIC:
        raise errors.MagicError(
            "This needs a shared or task file, as `od-patch adapters compress` "
            "writes them. Received: an ordinary patch file."
        )
    if magic != layout.FAMILY_MAGIC:
        raise errors.MagicError(
            f"A family's file begins with {layout.FAMILY_MAGIC!r}. Received: "
            f"{magic!r}."
        )
    if version != VERSION:
        raise errors.VersionError(
            f"This program reads files of families of version {VERSION}. "
            f"Received: version {version}; install a program that knows it."
        )


def _check_length(stated: int, size: int) -> None:
    if stated != size:
        raise errors.LengthError(
            f"This family's file says that it has {stated} bytes. Received: "
            f"{size}; fetch or copy it again."
        )
    if size > MAX_FILE_BYTES:
        raise errors.LimitError(
            f"A family's file may have {MAX_FILE_BYTES} bytes. Received: "
            f"{size}."
        )


def _check_checksum(source: Source) -> None:
    found = source.digest()
    checksum = source.take(layout.CHECKSUM_BYTES)
    if found != checksum:
        raise errors.ChecksumError(
            "A family's file ends with the SHA-256 of what stands before, "
            f"{found.hex()}. Received: {checksum.hex()}; the file is damaged, "
            "fetch or copy it again."
        )
