"""The inflated header: fingerprint, method, directory, labels, metadata."""

from __future__ import annotations

import dataclasses
import struct
from typing import Any

from object_detection_patch.patch_file import errors, layout
from object_detection_patch.patch_file import metadata as metadata_lib
from object_detection_patch.patch_file.codec import Entry, check_entry
from object_detection_patch.patch_file.patch import LabelMapItem
from object_detection_patch.patch_file.texts import check_text, encoded_text

_NUMBERS = struct.Struct("<BBBB")
_COUNT = struct.Struct("<I")
_TEXT_LENGTH = struct.Struct("<H")


@dataclasses.dataclass(frozen=True)
class Header:
    """A patch without its tensors."""

    method: str
    base_fingerprint: str
    entries: tuple[Entry, ...]
    label_map: tuple[LabelMapItem, ...]
    metadata: dict[str, Any]


def encode(header: Header) -> bytes:
    """The header as in FORMAT.md, before compression.

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
    return b"".join([*parts, _COUNT.pack(len(metadata)), metadata])


def decode(raw: bytes) -> Header:
    """Reads what `encode` wrote, every entry checked.

    Raises:
      PatchFileError: for whatever FORMAT.md does not allow; what concerns
        several entries or labels together is left to `check_patch`.
    """
    fields = _Fields(raw)
    fingerprint = fields.take(layout.FINGERPRINT_BYTES).hex()
    method = fields.text("method")
    entries = []
    elements = 0
    for _ in range(fields.count("edits", layout.MAX_EDITS)):
        entry = _read_entry(fields)
        elements += entry.elements
        _check_count("elements", elements, layout.MAX_ELEMENTS)
        entries.append(entry)
    labels = []
    for _ in range(fields.count("labels", layout.MAX_LABELS)):
        labels.append(_read_label(fields))
    length = fields.count("bytes of metadata", layout.MAX_METADATA_BYTES)
    metadata = metadata_lib.from_json(fields.take(length))
    fields.finish()
    return Header(method, fingerprint, tuple(entries), tuple(labels), metadata)


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

    def finish(self) -> None:
        if self._at != len(self._raw):
            raise errors.DirectoryError(
                "A header must end with its metadata. Received: "
                f"{len(self._raw) - self._at} bytes behind it."
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
            _COUNT.pack(entry.stored_bytes),
            _text("target", entry.target),
        ]
    )


def _read_entry(fields: _Fields) -> Entry:
    kind, value_type, codec, rank = fields.unpack(_NUMBERS)
    shape = fields.unpack(struct.Struct(f"<{rank}I"))
    (stored_bytes,) = fields.unpack(_COUNT)
    target = fields.text("target")
    entry = Entry(kind, value_type, codec, shape, target, stored_bytes)
    check_entry(entry)
    return entry


def _read_label(fields: _Fields) -> LabelMapItem:
    (id_,) = fields.unpack(_COUNT)
    name = fields.text("label_map.name")
    return LabelMapItem(id_, name, fields.text("label_map.display_name"))


def _check_count(name: str, count: int, limit: int) -> None:
    if count > limit:
        raise errors.LimitError(
            f"A patch file may hold {limit} {name}. Received: {count}."
        )
