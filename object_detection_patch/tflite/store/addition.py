"""How a patch gets into a store: only if activating it will work."""

from __future__ import annotations

import dataclasses
import hashlib
import os

from object_detection_patch.patch_file import from_bytes, layout
from object_detection_patch.patch_file.whole_file import write_whole
from object_detection_patch.tflite.store.change import changing, put_active
from object_detection_patch.tflite.store.errors import StoreError
from object_detection_patch.tflite.store.folder import (
    AnyPath,
    StoreFolder,
    file_sha256,
    read,
)
from object_detection_patch.tflite.store.index import (
    Index,
    Record,
    read_index,
    write_index,
)
from object_detection_patch.tflite.store.listing import Entry, entry
from object_detection_patch.tflite.store.name import alike, checked_name

_SHOWN_LABELS = 5


def add(
    store: AnyPath,
    patch: AnyPath,
    name: str | None = None,
    *,
    replace: bool = False,
    require_signature: AnyPath | None = None,
) -> Entry:
    """Adds a patch, after applying it to the base in memory.

    The same content under the same name again changes nothing; under
    another name it takes no second file.

    Args:
      name: default: the file's name without its ending.
      replace: a patch of this name may be replaced by another content; if it
        is active, its new model becomes active.
      require_signature: PEM file of the public key by which the patch must
        be signed.

    Raises:
      StoreError: for a name that is taken or not allowed, or no store.
      PatchFileError, FingerprintError, ApplyError, SignatureError, OSError:
        as `apply` does.
    """
    if name is None:
        name = os.path.splitext(os.path.basename(os.fspath(patch)))[0]
    name = checked_name(name)
    data = _read(patch, require_signature)
    record = _tried(StoreFolder.of(store), patch, data)
    with changing(store) as change:
        folder, index = change.folder, change.index
        _check_free(index, name, record, replace=replace)
        if file_sha256(folder.patch(record.sha256)) != record.sha256:
            write_whole(folder.patch(record.sha256), data)
        if index.patches.get(name) != record:
            index = index.with_patch(name, record)
            write_index(folder.path, index)
        if index.active.name == name:
            index = put_active(dataclasses.replace(change, index=index), name)
        return entry(name, record, index.active.name)


def _read(path: AnyPath, require_signature: AnyPath | None) -> bytes:
    # One more, so that the reader refuses what is too long.
    data = read(path, most=layout.MAX_FILE_BYTES)
    if require_signature is not None:
        from object_detection_patch.tflite import trust

        trust.verify_patch(data, trust.load_public_key(require_signature))
    return data


def _tried(folder: StoreFolder, path: AnyPath, data: bytes) -> Record:
    """Applies a patch as `activate` would, and writes nothing.

    The base of a store never changes, so this needs no lock.
    """
    read_index(folder.path)
    try:
        patch = from_bytes(data)
        model = folder.patched(data)
    except ValueError as error:
        error.args = (f"{error} ({os.fspath(path)})",)
        raise
    labels = sorted(patch.label_map, key=lambda item: item.id)
    return Record(
        sha256=hashlib.sha256(data).hexdigest(),
        file_bytes=len(data),
        method=patch.method,
        classes=labels[-1].id,
        labels=tuple(
            item.display_name or item.name for item in labels[:_SHOWN_LABELS]
        ),
        model_sha256=hashlib.sha256(model).hexdigest(),
    )


def _check_free(
    index: Index, name: str, record: Record, *, replace: bool
) -> None:
    for other, held in index.patches.items():
        if other == name and not replace and held.sha256 != record.sha256:
            raise StoreError(
                "A name stands for one patch; choose another, or replace "
                f"what it stands for. Received: {name!r}, which is taken."
            )
        if other != name and alike(other, name):
            raise StoreError(
                "Names must differ in more than capital letters. Received: "
                f"{name!r} beside {other!r}."
            )
