"""Bytes -> patch. Checks come in the order of FORMAT.md."""

from __future__ import annotations

import dataclasses
import hashlib
import os

from object_detection_patch.patch_file import codec, errors, layout
from object_detection_patch.patch_file import header as header_lib
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


def from_bytes(data: bytes) -> Patch:
    """Reads a patch file from memory; PatchFileError as in `read_patch`."""
    return parse(data).patch


def read_file(path: str | os.PathLike[str]) -> ParsedFile:
    """Reads a patch file and keeps its directory."""
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > layout.MAX_FILE_BYTES:
            raise errors.LimitError(
                f"A patch file may have {layout.MAX_FILE_BYTES} bytes. "
                f"Received: {size} ({os.fspath(path)})."
            )
        # A file that grows meanwhile, or a device, is not read on and on.
        data = file.read(size)
    try:
        return parse(data)
    except errors.PatchFileError as error:
        error.args = (f"{error} ({os.fspath(path)})",)
        raise


def parse(data: bytes) -> ParsedFile:
    """Checks and decodes a whole file."""
    view = memoryview(data)
    header_end, raw_header = _header(view)
    header = header_lib.decode(raw_header)
    checksum_at = len(view) - layout.CHECKSUM_BYTES
    _check_sections(header.entries, checksum_at - header_end)
    edits = []
    at = header_end
    for entry in header.entries:
        edits.append(codec.decode(entry, view[at : at + entry.section_bytes]))
        at += entry.section_bytes
    patch = Patch(
        header.method,
        header.base_fingerprint,
        tuple(edits),
        header.label_map,
        header.metadata,
    )
    check_patch(patch)
    _check_checksum(view[:checksum_at], view[checksum_at:])
    return ParsedFile(patch, header.entries, len(view))


def _header(view: memoryview) -> tuple[int, bytes]:
    """Where the header ends, and its inflated bytes."""
    smallest = layout.PRELUDE.size + layout.CHECKSUM_BYTES
    if len(view) < smallest:
        raise errors.LengthError(
            f"A patch file has at least {smallest} bytes. Received: "
            f"{len(view)}; it is cut short or no patch file."
        )
    magic, version, stored, raw, reserved, file_bytes = (
        layout.PRELUDE.unpack_from(view)
    )
    _check_prelude(magic, version, reserved)
    if file_bytes != len(view):
        raise errors.LengthError(
            f"This patch file says that it has {file_bytes} bytes. "
            f"Received: {len(view)}; fetch or copy it again."
        )
    if max(stored, raw) > layout.MAX_HEADER_BYTES:
        raise errors.LimitError(
            f"A header may have {layout.MAX_HEADER_BYTES} bytes. Received: "
            f"{stored} stored, {raw} inflated."
        )
    end = layout.PRELUDE.size + stored
    if end > len(view) - layout.CHECKSUM_BYTES:
        raise errors.HeaderBoundsError(
            "The header must end before the checksum, at byte "
            f"{len(view) - layout.CHECKSUM_BYTES}. Received: end at {end}."
        )
    codec.check_inflation("The header", stored=stored, raw=raw)
    stored_header = view[layout.PRELUDE.size : end]
    return end, codec.inflate("The header", stored_header, raw)


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


def _check_sections(entries: tuple[codec.Entry, ...], available: int) -> None:
    needed = sum(entry.section_bytes for entry in entries)
    if needed != available:
        raise errors.SectionBoundsError(
            "The sections must fill the file from the header to the "
            f"checksum, {available} bytes. Received: sections of {needed}."
        )


def _check_checksum(content: memoryview, checksum: memoryview) -> None:
    found = hashlib.sha256(content).digest()
    if found != checksum:
        raise errors.ChecksumError(
            "A patch file ends with the SHA-256 of what stands before, "
            f"{found.hex()}. Received: {bytes(checksum).hex()}; the file is "
            "damaged, fetch or copy it again."
        )
