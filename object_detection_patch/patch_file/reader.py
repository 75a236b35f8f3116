"""Bytes -> patch. Checks come in the order of FORMAT.md."""

from __future__ import annotations

import dataclasses
import io
import os
from typing import BinaryIO

from object_detection_patch.patch_file import codec, errors, inflation, layout
from object_detection_patch.patch_file import header as header_lib
from object_detection_patch.patch_file import source as source_lib
from object_detection_patch.patch_file.patch import Patch, check_patch


@dataclasses.dataclass(frozen=True)
class ParsedFile:
    """A patch and where its bytes lie in the file."""

    patch: Patch
    entries: tuple[codec.Entry, ...]
    file_bytes: int


def read_patch(path: str | os.PathLike[str]) -> Patch:
    """Reads a patch file.

    Raises:
      PatchFileError: if the file breaks any rule of FORMAT.md.
      OSError: if it cannot be read.
    """
    return read_file(path).patch


def from_bytes(data: bytes | bytearray | memoryview) -> Patch:
    """Reads a patch file from memory; PatchFileError as in `read_patch`."""
    return parse(io.BytesIO(data), len(data)).patch


def read_file(path: str | os.PathLike[str]) -> ParsedFile:
    """Reads a patch file and keeps its directory."""
    try:
        with open(path, "rb") as file:
            return parse(file, os.fstat(file.fileno()).st_size)
    except errors.PatchFileError as error:
        error.args = (f"{error} ({os.fspath(path)})",)
        raise


def parse(file: BinaryIO, size: int) -> ParsedFile:
    """Checks and decodes a whole file, each part before the next is read."""
    source = source_lib.Source(file, size)
    header = header_lib.decode(_raw_header(source))
    sections_end = size - layout.CHECKSUM_BYTES
    _check_sections(header.entries, sections_end - source.at)
    edits = tuple(codec.decode(entry, source) for entry in header.entries)
    patch = Patch(
        header.method,
        header.base_fingerprint,
        edits,
        header.label_map,
        header.metadata,
    )
    check_patch(patch)
    _check_checksum(source)
    return ParsedFile(patch, header.entries, size)


def _raw_header(source: source_lib.Source) -> bytes:
    """Checks the prelude; the inflated bytes of the header behind it."""
    smallest = layout.PRELUDE.size + layout.CHECKSUM_BYTES
    if source.size < smallest:
        raise errors.LengthError(
            f"A patch file has at least {smallest} bytes. Received: "
            f"{source.size}; it is cut short or no patch file."
        )
    magic, version, stored, raw, reserved, file_bytes = layout.PRELUDE.unpack(
        source.take(layout.PRELUDE.size)
    )
    _check_prelude(magic, version, reserved)
    _check_file_bytes(file_bytes, source.size)
    _check_header_bytes(stored, raw, source.size - layout.CHECKSUM_BYTES)
    return inflation.inflate("The header", source.pieces(stored), raw).tobytes()


def _check_prelude(magic: bytes, version: int, reserved: int) -> None:
    if magic != layout.MAGIC:
        raise errors.MagicError(
            f"A patch file begins with {layout.MAGIC!r}. Received: {magic!r}."
        )
    if version != layout.VERSION:
        raise errors.VersionError(
            f"This program reads patch files of version {layout.VERSION}. "
            f"Received: version {version}; install a program that knows it."
        )
    if reserved != 0:
        raise errors.ReservedError(
            "Bytes 20 to 23 of a patch file must be 0. Received: "
            f"{reserved:#010x}."
        )


def _check_file_bytes(stated: int, size: int) -> None:
    if stated != size:
        raise errors.LengthError(
            f"This patch file says that it has {stated} bytes. "
            f"Received: {size}; fetch or copy it again."
        )
    if size > layout.MAX_FILE_BYTES:
        raise errors.LimitError(
            f"A patch file may have {layout.MAX_FILE_BYTES} bytes. "
            f"Received: {size}."
        )


def _check_header_bytes(stored: int, raw: int, checksum_at: int) -> None:
    if max(stored, raw) > layout.MAX_HEADER_BYTES:
        raise errors.LimitError(
            f"A header may have {layout.MAX_HEADER_BYTES} bytes. Received: "
            f"{stored} stored, {raw} inflated."
        )
    end = layout.PRELUDE.size + stored
    if end > checksum_at:
        raise errors.HeaderBoundsError(
            "The header must end before the checksum, at byte "
            f"{checksum_at}. Received: end at {end}."
        )
    inflation.check_inflation("The header", stored=stored, raw=raw)


def _check_sections(entries: tuple[codec.Entry, ...], available: int) -> None:
    needed = sum(entry.section_bytes for entry in entries)
    if needed != available:
        raise errors.SectionBoundsError(
            "The sections must fill the file from the header to the "
            f"checksum, {available} bytes. Received: sections of {needed}."
        )


def _check_checksum(source: source_lib.Source) -> None:
    found = source.digest()
    checksum = source.take(layout.CHECKSUM_BYTES)
    if found != checksum:
        raise errors.ChecksumError(
            "A patch file ends with the SHA-256 of what stands before, "
            f"{found.hex()}. Received: {checksum.hex()}; the file is "
            "damaged, fetch or copy it again."
        )
