"""Bytes -> patch. Checks come in the order of FORMAT.md."""

from __future__ import annotations

import dataclasses
import io
import os

from object_detection_patch.patch_file import codec, errors, inflation, layout
from object_detection_patch.patch_file import header as header_lib
from object_detection_patch.patch_file import source as source_lib
from object_detection_patch.patch_file.entry import Entry
from object_detection_patch.patch_file.patch import Patch, check_patch
from object_detection_patch.patch_file.signature import (
    SIGNED_END_BYTES,
    Signature,
)


@dataclasses.dataclass(frozen=True)
class ParsedFile:
    """A patch, how the file holds it, and who says to have signed it.

    Args:
      patch: what the file holds.
      entries: its directory, one entry an edit.
      file_bytes: length of the file.
      version: of the format.
      max_errors: for each edit, how far a number may be from the one that was
        written (`grid.decode`), or None where they are not on a grid.
      signature: as it stands in the file, not verified; None if unsigned.
    """

    patch: Patch
    entries: tuple[Entry, ...]
    file_bytes: int
    version: int
    max_errors: tuple[float | None, ...]
    signature: Signature | None

    @property
    def signed_bytes(self) -> int:
        """Length of the message, from the first byte, that was signed.

        The signature begins there. 0 for a file without one.
        """
        if self.signature is None:
            return 0
        end = layout.CHECKSUM_BYTES + layout.SIGNATURE_BYTES
        return self.file_bytes - end


@dataclasses.dataclass(frozen=True)
class _Prelude:
    """What the first 32 bytes say, checked as far as they can be."""

    version: int
    signed: bool
    header_bytes: int
    raw_header_bytes: int
    sections_end: int


def read_patch(path: str | os.PathLike[str], *, metadata: bool = True) -> Patch:
    """Reads a patch file.

    Args:
      path: the file.
      metadata: False skips the metadata, which applying does not need:
        `Patch.metadata` is then empty, and what the file has is unchecked.

    Raises:
      PatchFileError: if the file breaks any rule of FORMAT.md.
      OSError: if it cannot be read.
    """
    return read_file(path, metadata=metadata).patch


def from_bytes(
    data: bytes | bytearray | memoryview, *, metadata: bool = True
) -> Patch:
    """Reads a patch file from memory; arguments and errors of `read_patch`."""
    return parse(io.BytesIO(data), len(data), metadata=metadata).patch


def read_file(
    path: str | os.PathLike[str], *, metadata: bool = True
) -> ParsedFile:
    """Reads a patch file and keeps its directory and signature."""
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            return parse(file, size, metadata=metadata)
    except errors.PatchFileError as error:
        error.args = (f"{error} ({os.fspath(path)})",)
        raise


def parse(
    file: source_lib.Readable, size: int, *, metadata: bool = True
) -> ParsedFile:
    """Checks and decodes a whole file, each part before the next is read."""
    source = source_lib.Source(file, size)
    prelude = _prelude(source)
    header = header_lib.decode(
        _raw_header(source, prelude), prelude.version, metadata=metadata
    )
    _check_sections(header.entries, prelude.sections_end - source.at)
    decoded = [codec.decode(entry, source) for entry in header.entries]
    patch = Patch(
        header.method,
        header.base_fingerprint,
        tuple(section.edit for section in decoded),
        header.label_map,
        header.metadata,
        header.releases,
        header.model_metadata,
    )
    check_patch(patch)
    signature = _signature(source) if prelude.signed else None
    _check_checksum(source)
    max_errors = tuple(section.max_error for section in decoded)
    return ParsedFile(
        patch, header.entries, size, prelude.version, max_errors, signature
    )


def _prelude(source: source_lib.Source) -> _Prelude:
    smallest = layout.PRELUDE.size + layout.CHECKSUM_BYTES
    if source.size < smallest:
        raise errors.LengthError(
            f"A patch file has at least {smallest} bytes. Received: "
            f"{source.size}; it is cut short or no patch file."
        )
    magic, version, stored, raw, flags, file_bytes = layout.PRELUDE.unpack(
        source.take(layout.PRELUDE.size)
    )
    _check_kind(magic, version)
    _check_flags(version, flags)
    _check_file_bytes(file_bytes, source.size)
    signed = bool(flags & layout.SIGNED)
    end = source.size - layout.CHECKSUM_BYTES
    sections_end = end - SIGNED_END_BYTES if signed else end
    _check_header_bytes(stored, raw, sections_end)
    return _Prelude(version, signed, stored, raw, sections_end)


def _raw_header(source: source_lib.Source, prelude: _Prelude) -> bytes:
    pieces = source.pieces(prelude.header_bytes)
    size = prelude.raw_header_bytes
    return inflation.inflate("The header", pieces, size).tobytes()


def _signature(source: source_lib.Source) -> Signature:
    public_key = source.take(layout.PUBLIC_KEY_BYTES)
    return Signature(public_key, source.take(layout.SIGNATURE_BYTES))


def _check_kind(magic: bytes, version: int) -> None:
    if magic == layout.FAMILY_MAGIC:
        raise errors.MagicError(
            "This needs a patch file. Received: a shared or task file of "
            "compressed adapters; `od-patch adapters expand` makes a patch "
            "file of a task file and the shared file that it names."
        )
    if magic != layout.MAGIC:
        raise errors.MagicError(
            f"A patch file begins with {layout.MAGIC!r}. Received: {magic!r}."
        )
    if version not in layout.VERSIONS:
        raise errors.VersionError(
            "This program reads patch files of versions "
            f"{layout.VERSIONS[0]} to {layout.VERSIONS[-1]}. Received: "
            f"version {version}; install a program that knows it."
        )


def _check_flags(version: int, flags: int) -> None:
    if version == 1 and flags != 0:
        raise errors.ReservedError(
            "Bytes 20 to 23 of a patch file of version 1 must be 0. "
            f"Received: {flags:#010x}."
        )
    if flags & ~layout.SIGNED:
        raise errors.ReservedError(
            "Bits 1 to 31 of a patch file's flags must be 0. Received: "
            f"{flags:#010x}; a newer version of this program may know them."
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


def _check_header_bytes(stored: int, raw: int, sections_end: int) -> None:
    if max(stored, raw) > layout.MAX_HEADER_BYTES:
        raise errors.LimitError(
            f"A header may have {layout.MAX_HEADER_BYTES} bytes. Received: "
            f"{stored} stored, {raw} inflated."
        )
    end = layout.PRELUDE.size + stored
    if end > sections_end:
        raise errors.HeaderBoundsError(
            "The header must end before the checksum (and a signature), at "
            f"byte {sections_end}. Received: end at {end}."
        )
    inflation.check_inflation("The header", stored=stored, raw=raw)


def _check_sections(entries: tuple[Entry, ...], available: int) -> None:
    needed = sum(entry.section_bytes for entry in entries)
    if needed != available:
        raise errors.SectionBoundsError(
            "The sections must fill the file from the header to the "
            f"signature or checksum, {available} bytes. Received: sections "
            f"of {needed}."
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
