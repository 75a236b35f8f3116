"""The inflated header: all that a patch holds beside its tensors."""

from __future__ import annotations

import dataclasses
import struct
from typing import Any

from object_detection_patch.patch_file import errors, layout
from object_detection_patch.patch_file import metadata as metadata_lib
from object_detection_patch.patch_file.entry import (
    Entry,
    check_entry,
    grid_types,
)
from object_detection_patch.patch_file.grid import Grid
from object_detection_patch.patch_file.patch import LabelMapItem
from object_detection_patch.patch_file.release import Release
from object_detection_patch.patch_file.texts import (
    check_name,
    check_text,
    encoded_text,
)

_NUMBERS = struct.Struct("<BBBB")
_GRID = struct.Struct("<BII")
_ACTIVATION = struct.Struct("<fi")
_COUNT = struct.Struct("<I")
_TEXT_LENGTH = struct.Struct("<H")


@dataclasses.dataclass(frozen=True)
class Header:
    """A patch without its tensors; the last two fields came with version 2."""

    method: str
    base_fingerprint: str
    entries: tuple[Entry, ...]
    label_map: tuple[LabelMapItem, ...]
    metadata: dict[str, Any]
    releases: tuple[Release, ...] = ()
    model_metadata: bytes = b""

    @property
    def version(self) -> int:
        """The first version of the format that can say all of this."""
        own = 2 if self.releases or self.model_metadata else 1
        return max([own, *(entry.version for entry in self.entries)])


def encode(header: Header, version: int) -> bytes:
    """The header as in FORMAT.md, before compression.

    Args:
      header: whose own `version` is not above `version`.
      version: of the file.

    Raises:
      PatchFileError: for a text, count or metadata that the format refuses.
    """
    _check_count("edits", len(header.entries), layout.MAX_EDITS)
    elements = sum(entry.elements for entry in header.entries)
    _check_count("elements", elements, layout.MAX_ELEMENTS)
    _check_count("labels", len(header.label_map), layout.MAX_LABELS)
    parts = [
        bytes.fromhex(header.base_fingerprint),
        _text("method", header.method),
        _COUNT.pack(len(header.entries)),
        *map(_entry, header.entries),
        _COUNT.pack(len(header.label_map)),
    ]
    for item in header.label_map:
        parts.append(_COUNT.pack(item.id))
        parts.append(_text("label_map.name", item.name))
        parts.append(_text("label_map.display_name", item.display_name))
    metadata = metadata_lib.to_json(header.metadata)
    _check_count("bytes of metadata", len(metadata), layout.MAX_METADATA_BYTES)
    parts += [_COUNT.pack(len(metadata)), metadata]
    if version > 1:
        parts += _releases(header)
    return b"".join(parts)


def decode(raw: bytes, version: int, *, metadata: bool = True) -> Header:
    """Reads what `encode` wrote, every entry checked.

    Args:
      raw: the inflated header.
      version: of the file.
      metadata: False skips it, and the header's is empty.

    Raises:
      PatchFileError: for whatever FORMAT.md does not allow; what concerns
        several entries or labels together is left to `check_patch`.
    """
    fields = _Fields(raw)
    fingerprint = fields.take(layout.FINGERPRINT_BYTES).hex()
    method = fields.name("method")
    entries = []
    elements = 0
    for _ in range(fields.count("edits", layout.MAX_EDITS)):
        entry = _read_entry(fields, version)
        elements += entry.elements
        _check_count("elements", elements, layout.MAX_ELEMENTS)
        entries.append(entry)
    labels = []
    for _ in range(fields.count("labels", layout.MAX_LABELS)):
        labels.append(_read_label(fields))
    length = fields.count("bytes of metadata", layout.MAX_METADATA_BYTES)
    encoded = fields.take(length)
    found = metadata_lib.from_json(encoded) if metadata else {}
    releases = _read_releases(fields) if version > 1 else ()
    model_metadata = _read_model_metadata(fields) if version > 1 else b""
    fields.finish()
    return Header(
        method,
        fingerprint,
        tuple(entries),
        tuple(labels),
        found,
        releases,
        model_metadata,
    )


class _Fields:
    """Takes fields off the front of the header, never beyond its end."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._at = 0

    def take(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._raw):
            raise errors.DirectoryError(
                "A header must hold all of its fields. Received: one of "
                f"{len(self._raw)} bytes that ends within a field of {size} "
                f"at byte {self._at}."
            )
        taken = self._raw[self._at : end]
        self._at = end
        return taken

    def unpack(self, fields: struct.Struct) -> tuple[int, ...]:
        return fields.unpack(self.take(fields.size))

    def count(self, name: str, limit: int) -> int:
        (count,) = self.unpack(_COUNT)
        _check_count(name, count, limit)
        return count

    def text(self, name: str) -> str:
        (length,) = self.unpack(_TEXT_LENGTH)
        _check_count(f"bytes of `{name}`", length, layout.MAX_TEXT_BYTES)
        encoded = self.take(length)
        try:
            text = encoded.decode("utf-8")
        except UnicodeDecodeError as error:
            raise errors.TextError(
                f"`{name}` must be UTF-8. Received: {errors.shown(encoded)}."
            ) from error
        check_text(name, text)
        return text

    def name(self, name: str) -> str:
        """A text that programs look up."""
        text = self.text(name)
        check_name(name, text)
        return text

    def finish(self) -> None:
        if self._at != len(self._raw):
            raise errors.DirectoryError(
                "A header must end with its metadata (version 2: with the "
                f"model's). Received: {len(self._raw) - self._at} bytes "
                "behind it."
            )


def _text(name: str, text: str) -> bytes:
    encoded = encoded_text(name, text)
    return _TEXT_LENGTH.pack(len(encoded)) + encoded


def _entry(entry: Entry) -> bytes:
    rank = len(entry.shape)
    return b"".join(
        [
            _NUMBERS.pack(entry.kind, entry.value_type, entry.codec, rank),
            struct.pack(f"<{rank}I", *entry.shape),
            _grid(entry.grid),
            _COUNT.pack(entry.stored_bytes),
            _text("target", entry.target),
        ]
    )


def _grid(grid: Grid | None) -> bytes:
    if grid is None:
        return b""
    return _GRID.pack(grid.bits, grid.inner, grid.groups)


def _releases(header: Header) -> list[bytes]:
    """What version 2 adds behind the metadata."""
    _check_count("releases", len(header.releases), layout.MAX_RELEASES)
    activations = sum(len(release.activations) for release in header.releases)
    _check_count("activations", activations, layout.MAX_ACTIVATIONS)
    parts = [_COUNT.pack(len(header.releases))]
    for release in header.releases:
        parts += [
            bytes.fromhex(release.base_sha256 + release.result_sha256),
            _COUNT.pack(len(release.activations)),
            *(_ACTIVATION.pack(*pair) for pair in release.activations),
        ]
    size = len(header.model_metadata)
    _check_count(
        "bytes of model metadata", size, layout.MAX_MODEL_METADATA_BYTES
    )
    return [*parts, _COUNT.pack(size), header.model_metadata]


def _read_entry(fields: _Fields, version: int) -> Entry:
    kind, value_type, codec, rank = fields.unpack(_NUMBERS)
    shape = fields.unpack(struct.Struct(f"<{rank}I"))
    grid = None
    if value_type in grid_types(version):
        bits, inner, groups = fields.unpack(_GRID)
        grid = Grid(bits, inner, groups, value_type == layout.HALF_GRID)
    (stored_bytes,) = fields.unpack(_COUNT)
    target = fields.name("target")
    entry = Entry(kind, value_type, codec, shape, target, stored_bytes, grid)
    check_entry(entry, version)
    return entry


def _read_label(fields: _Fields) -> LabelMapItem:
    (id_,) = fields.unpack(_COUNT)
    name = fields.text("label_map.name")
    return LabelMapItem(id_, name, fields.text("label_map.display_name"))


def _read_releases(fields: _Fields) -> tuple[Release, ...]:
    releases = []
    activations = 0
    for _ in range(fields.count("releases", layout.MAX_RELEASES)):
        base = fields.take(layout.CHECKSUM_BYTES).hex()
        result = fields.take(layout.CHECKSUM_BYTES).hex()
        (count,) = fields.unpack(_COUNT)
        activations += count
        _check_count("activations", activations, layout.MAX_ACTIVATIONS)
        pairs = _ACTIVATION.iter_unpack(fields.take(count * _ACTIVATION.size))
        releases.append(Release(base, result, tuple(pairs)))
    return tuple(releases)


def _read_model_metadata(fields: _Fields) -> bytes:
    size = fields.count(
        "bytes of model metadata", layout.MAX_MODEL_METADATA_BYTES
    )
    return fields.take(size)


def _check_count(name: str, count: int, limit: int) -> None:
    if count > limit:
        raise errors.LimitError(
            f"A patch file may hold {limit} {name}. Received: {count}."
        )
