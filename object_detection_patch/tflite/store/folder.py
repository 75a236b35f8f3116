"""The files of a store, and what may be removed from it.

index.json               what is here (index.py)
base.tflite              the published base, written once
base.odpatch             its sidecar
active.tflite            the model to run
patches/<sha256>.patch   each content once, whatever its names
store.lock               held by who changes the store (lock.py)
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import re

from object_detection_patch.patch_file import whole_file
from object_detection_patch.tflite import limits, patcher
from object_detection_patch.tflite.errors import BaseMismatchError
from object_detection_patch.tflite.store.errors import StoreError
from object_detection_patch.tflite.store.index import Index
from object_detection_patch.tflite.store.name import BASE

_PATCH_FILE = re.compile(r"([0-9a-f]{64})\.patch")
_PIECE_BYTES = 2**20
AnyPath = str | os.PathLike[str]


@dataclasses.dataclass(frozen=True)
class StoreFolder:
    """Where everything lies; `path` is absolute, without links."""

    path: str

    @classmethod
    def of(cls, store: AnyPath) -> StoreFolder:
        return cls(os.path.realpath(store))

    @property
    def base(self) -> str:
        return os.path.join(self.path, "base.tflite")

    @property
    def sidecar(self) -> str:
        return os.path.join(self.path, "base.odpatch")

    @property
    def active(self) -> str:
        return os.path.join(self.path, "active.tflite")

    @property
    def patches(self) -> str:
        return os.path.join(self.path, "patches")

    def patch(self, digest: str) -> str:
        return os.path.join(self.patches, f"{digest}.patch")

    def model(self, index: Index, name: str) -> bytes:
        """Computes the model of a name; the base's is the base itself.

        Raises:
          StoreError: for a name that is not there, or a damaged patch.
          BaseMismatchError: if the store's base is damaged.
          OSError: if a file cannot be read.
        """
        if name == BASE:
            return self._base_model(index)
        return self.patched(self.patch_data(index, name))

    def patch_data(self, index: Index, name: str) -> bytes:
        """The file of a patch.

        Raises:
          StoreError: for a name that is not there, or a damaged patch.
          OSError: if it cannot be read.
        """
        digest = index.record(name).sha256
        data = read(self.patch(digest))
        if hashlib.sha256(data).hexdigest() != digest:
            raise StoreError(
                "A patch in a store must stay as it was added. Received: "
                f"another content in {self.patch(digest)!r}; add "
                f"{name!r} again."
            )
        return data

    def patched(self, patch: bytes) -> bytes:
        """The base with a patch; raises as `patcher.apply` does."""
        return patcher.apply_bytes(read(self.base), read(self.sidecar), patch)

    def _base_model(self, index: Index) -> bytes:
        model = read(self.base)
        digest = hashlib.sha256(model).hexdigest()
        if digest != index.base_sha256:
            raise BaseMismatchError(
                "The base of a store must stay as it was, SHA-256 "
                f"{index.base_sha256}. Received: {digest} in {self.base!r}; "
                "make the store again."
            )
        return model

    def collect(self, index: Index) -> None:
        """Removes what a killed writer has left, and patches without a name.

        To be called by who holds the lock. What cannot be removed stays, and
        whatever the store has not written is left alone.
        """
        named = {record.sha256 for record in index.patches.values()}
        for folder in (self.path, self.patches):
            for name in os.listdir(folder) if os.path.isdir(folder) else ():
                found = _PATCH_FILE.fullmatch(name)
                unnamed = (
                    folder == self.patches
                    and found is not None
                    and found[1] not in named
                )
                if unnamed or whole_file.is_hidden(name):
                    with contextlib.suppress(OSError):
                        os.unlink(os.path.join(folder, name))


def file_sha256(path: AnyPath) -> str | None:
    """The SHA-256 of a file, or None if there is none."""
    digest = hashlib.sha256()
    if not os.path.isfile(path):
        return None
    try:
        with open(path, "rb") as file:
            while piece := file.read(_PIECE_BYTES):
                digest.update(piece)
    except FileNotFoundError:
        return None
    return digest.hexdigest()


def read(path: AnyPath, most: int = limits.MAX_MODEL_BYTES) -> bytes:
    """A file, or of a larger one enough to tell that it is too large."""
    return whole_file.read_within(path, most)
