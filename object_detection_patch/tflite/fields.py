"""Little-endian fields, taken in order and never beyond the end."""

from __future__ import annotations

import re
import struct

import numpy as np

from object_detection_patch.patch_file.errors import PatchFileError, shown
from object_detection_patch.patch_file.layout import MAX_TEXT_BYTES
from object_detection_patch.patch_file.texts import check_name, encoded_text
from object_detection_patch.tflite.errors import SidecarError, require
from object_detection_patch.tflite.limits import MAX_COUNT

_SHA256 = re.compile(r"[0-9a-f]{64}")


class FieldReader:
    """Takes the fields of a sidecar's body off its front."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._at = 0

    def take(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._raw):
            raise SidecarError(
                "A sidecar's body must hold all of its fields. Received: one "
                f"of {len(self._raw)} bytes that ends within a field of "
                f"{size} at byte {self._at}."
            )
        taken = self._raw[self._at : end]
        self._at = end
        return taken

    def u8(self) -> int:
        return self.take(1)[0]

    def u32(self, what: str, most: int, least: int = 0) -> int:
        """A u32 from `least` to `most`; `what` names it in errors."""
        (value,) = struct.unpack("<I", self.take(4))
        if not least <= value <= most:
            raise SidecarError(
                f"In a sidecar, {what} must lie between {least} and {most}. "
                f"Received: {value}."
            )
        return value

    def u64(self) -> int:
        (value,) = struct.unpack("<Q", self.take(8))
        return value

    def reference(self, what: str, count: int) -> int | None:
        """An index below `count`, or None."""
        value = self.u32(f"the reference to {what}", count)
        return value - 1 if value else None

    def count(self, least: int = 0) -> int:
        """How many entries a list has."""
        return self.u32("a number of entries", MAX_COUNT, least)

    def vector(self, count: int) -> int:
        """The index of one of `count` vectors."""
        return self.u32("the index of a vector", count - 1)

    def name(self) -> str:
        (length,) = struct.unpack("<H", self.take(2))
        if length > MAX_TEXT_BYTES:
            raise SidecarError(
                f"A name may have {MAX_TEXT_BYTES} bytes. Received: {length}."
            )
        encoded = self.take(length)
        try:
            text = encoded.decode("utf-8")
            check_name("name", text)
        except (UnicodeDecodeError, PatchFileError) as error:
            raise SidecarError(
                "A name in a sidecar must be UTF-8 without control or "
                f"invisible characters. Received: {shown(encoded)}."
            ) from error
        if not text:
            raise SidecarError("A name must not be empty. Received: ''.")
        return text

    def floats(self, count: int) -> np.ndarray:
        """`count` finite float32."""
        values = np.frombuffer(self.take(4 * count), "<f4")
        if not np.isfinite(values).all():
            raise SidecarError(
                "The numbers of a sidecar must be finite. Received: NaN or "
                f"Inf before byte {self._at}."
            )
        return values.astype(np.float32, copy=False)

    def finish(self) -> None:
        if self._at != len(self._raw):
            raise SidecarError(
                "A sidecar's body must end with its last field. Received: "
                f"{len(self._raw) - self._at} bytes behind it."
            )


class FieldWriter:
    """Collects the same fields as bytes.

    SidecarError for a value that has no place in its field.
    """

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def u8(self, value: int) -> None:
        self._integer("<B", value)

    def u32(self, *values: int) -> None:
        for value in values:
            self._integer("<I", value)

    def u64(self, value: int) -> None:
        self._integer("<Q", value)

    def reference(self, index: int | None) -> None:
        self.u32(0 if index is None else index + 1)

    def digest(self, hexadecimal: str) -> None:
        require(
            _SHA256.fullmatch(hexadecimal) is not None,
            "a digest is 64 lower-case hexadecimal digits",
            hexadecimal,
        )
        self._parts.append(bytes.fromhex(hexadecimal))

    def name(self, text: str) -> None:
        try:
            encoded = encoded_text("name", text)
        except PatchFileError as error:
            raise SidecarError(str(error)) from error
        self._parts.append(struct.pack("<H", len(encoded)) + encoded)

    def floats(self, values: np.ndarray, count: int) -> None:
        """`count` numbers, of type float32 already."""
        require(
            values.dtype == np.float32 and values.shape == (count,),
            f"numbers must be {count} float32",
            f"{values.dtype} of shape {values.shape}",
        )
        self._parts.append(values.astype("<f4").tobytes())

    def raw(self, content: bytes) -> None:
        self._parts.append(content)

    def joined(self) -> bytes:
        return b"".join(self._parts)

    def _integer(self, layout: str, value: int) -> None:
        try:
            self._parts.append(struct.pack(layout, value))
        except struct.error as error:
            require(False, f"an integer must fit in its field: {error}", value)
