"""How a store begins: with a base, which is active from then on."""

from __future__ import annotations

import hashlib
import os

from object_detection_patch.patch_file.whole_file import (
    sync_folder,
    write_whole,
)
from object_detection_patch.tflite import sidecar_file
from object_detection_patch.tflite.errors import BaseMismatchError
from object_detection_patch.tflite.patcher import sidecar_path
from object_detection_patch.tflite.store.errors import StoreError
from object_detection_patch.tflite.store.folder import (
    AnyPath,
    StoreFolder,
    read,
)
from object_detection_patch.tflite.store.index import (
    INDEX_FILE,
    Active,
    Index,
    read_index,
    write_index,
)
from object_detection_patch.tflite.store.lock import LOCK_FILE, locked
from object_detection_patch.tflite.store.name import BASE
from object_detection_patch.tflite.store.new_sidecar import take_sidecar


def init(store: AnyPath, base: AnyPath, sidecar: AnyPath | None = None) -> None:
    """Makes a store of a published base.

    The same base again changes nothing, but that a sidecar with more input
    sizes takes the old one's place; so a program may call this
    whenever it starts. It also finishes what a killed one began.

    Args:
      store: a folder that is new or empty, or a store of the same base.
      base: base.tflite; the store keeps a copy, and one more to be active.
      sidecar: default: the base's name with `.odpatch` for its ending.

    Raises:
      StoreError: if the folder holds something else, or the base with input
        sizes that the sidecar lacks, while it has others.
      SidecarError: if the sidecar breaks a rule of FORMAT.md.
      BaseMismatchError: if it describes another base.
      OSError: if a file cannot be read or written.
    """
    model = read(base)
    sidecar_bytes = read(sidecar_path(base) if sidecar is None else sidecar)
    digest = hashlib.sha256(model).hexdigest()
    described = sidecar_file.from_bytes(sidecar_bytes)
    if digest != described.base_sha256:
        raise BaseMismatchError(
            "The base must be the file that its sidecar describes, SHA-256 "
            f"{described.base_sha256}. Received: {digest} "
            f"({os.fspath(base)!r})."
        )
    folder = _folder(store)
    with locked(folder.path):
        if os.path.exists(os.path.join(folder.path, INDEX_FILE)):
            _check_same_base(folder, digest)
            take_sidecar(folder, model, sidecar_bytes, described)
        else:
            _fill(folder, model, sidecar_bytes, digest)


def _fill(
    folder: StoreFolder, model: bytes, sidecar_bytes: bytes, digest: str
) -> None:
    os.makedirs(folder.patches, exist_ok=True)
    write_whole(folder.base, model)
    write_whole(folder.sidecar, sidecar_bytes)
    write_whole(folder.active, model)
    # Last: from here on it is a store.
    index = Index(digest, Active(BASE, digest), {})
    write_index(folder.path, index)
    folder.collect(index)


def _folder(store: AnyPath) -> StoreFolder:
    folder = StoreFolder.of(store)
    os.makedirs(folder.path, exist_ok=True)
    sync_folder(os.path.dirname(folder.path))
    # The lock file comes first: where it is, a store was begun.
    held = os.listdir(folder.path)
    if held and LOCK_FILE not in held:
        raise StoreError(
            "A store needs a folder of its own, new or empty. Received: "
            f"{folder.path!r}, which holds {min(held)!r}."
        )
    return folder


def _check_same_base(folder: StoreFolder, digest: str) -> None:
    held = read_index(folder.path).base_sha256
    if held != digest:
        raise StoreError(
            f"A store keeps one base, this one SHA-256 {held}; make another "
            f"store for another base. Received: {digest}."
        )
