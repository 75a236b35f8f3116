"""Changing a store: under its lock, and without what kills have left."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
from collections.abc import Iterator

from object_detection_patch.patch_file.whole_file import write_whole
from object_detection_patch.tflite.store.folder import (
    AnyPath,
    StoreFolder,
    file_sha256,
)
from object_detection_patch.tflite.store.index import (
    Index,
    read_index,
    write_index,
)
from object_detection_patch.tflite.store.lock import locked
from object_detection_patch.tflite.store.name import BASE


@dataclasses.dataclass(frozen=True)
class Change:
    """A store while its lock is held.

    Args:
      index: with `active` as active.tflite says, if the store knows it.
      model_sha256: of active.tflite; None if there is none.
    """

    folder: StoreFolder
    index: Index
    model_sha256: str | None


@contextlib.contextmanager
def changing(store: AnyPath) -> Iterator[Change]:
    """Holds the lock of a store; clears away what nobody needs afterwards.

    Raises:
      StoreError: if there is no store, it is busy or its index is damaged.
      OSError: if it cannot be read, or its lock file not be written.
    """
    folder = StoreFolder.of(store)
    # Before the lock, which would leave its file in a folder that is none.
    read_index(folder.path)
    with locked(folder.path):
        index = read_index(folder.path)
        digest = file_sha256(folder.active)
        name = index.name_of(digest)
        if name is not None and digest is not None:
            index = index.with_active(name, digest)
        try:
            yield Change(folder, index, digest)
        finally:
            folder.collect(read_index(folder.path))


def put_active(change: Change, name: str) -> Index:
    """Writes active.tflite, then the index, where they are not so already.

    Returns the index. Raises as `StoreFolder.model` does.
    """
    folder, index = change.folder, change.index
    digest = index.model_sha256(name)
    if change.model_sha256 != digest:
        model = folder.model(index, name)
        # The model may differ from when the patch was added, if a later
        # release of this package mends how it is computed.
        digest = hashlib.sha256(model).hexdigest()
        write_whole(folder.active, model)
    index = index.with_active(name, digest)
    if name != BASE:
        record = dataclasses.replace(index.record(name), model_sha256=digest)
        index = index.with_patch(name, record)
    if index != read_index(folder.path):
        write_index(folder.path, index)
    return index
