"""The bytes of a file, taken in order and hashed on the way."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Protocol

from object_detection_patch.patch_file import errors

PIECE_BYTES = 2**16


class Readable(Protocol):
    """What a source asks of a file."""

    def read(self, size: int, /) -> bytes: ...


class Source:
    """Reads no further than asked, so that a check can come before bytes.

    Args:
      file: open for reading, at its start.
      size: its length; not believed, but read to and never beyond.
    """

    def __init__(self, file: Readable, size: int) -> None:
        self.size = size
        self.at = 0
        self._file = file
        self._digest = hashlib.sha256()

    def take(self, size: int) -> bytes:
        """The next `size` bytes; LengthError if the file has shrunk."""
        taken = self._file.read(size)
        self.at += len(taken)
        if len(taken) != size:
            raise errors.LengthError(
                "A patch file must stay as it is while it is read. Received: "
                f"one of {self.size} bytes that now ends at byte {self.at}."
            )
        self._digest.update(taken)
        return taken

    def pieces(self, size: int) -> Iterator[bytes]:
        """The next `size` bytes, in pieces that are small beside a tensor."""
        end = self.at + size
        while self.at < end:
            yield self.take(min(PIECE_BYTES, end - self.at))

    def digest(self) -> bytes:
        """SHA-256 of all that was taken so far."""
        return self._digest.digest()
