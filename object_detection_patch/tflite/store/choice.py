"""Which patch of a store is the active one; patches that have to go."""

from __future__ import annotations

import os

from object_detection_patch.patch_file.whole_file import write_whole
from object_detection_patch.tflite.errors import OutputError
from object_detection_patch.tflite.store.change import changing, put_active
from object_detection_patch.tflite.store.errors import StoreError
from object_detection_patch.tflite.store.folder import (
    AnyPath,
    StoreFolder,
    file_sha256,
)
from object_detection_patch.tflite.store.index import Index, write_index
from object_detection_patch.tflite.store.name import BASE, checked_name


def activate(
    store: AnyPath, name: str | None = None, *, output: AnyPath | None = None
) -> str:
    """Makes the model of a name the one to run; returns the model's path.

    If it is so already and undamaged, nothing is computed or written.

    Args:
      name: default: `base`, the model without a patch.
      output: the model is written there, outside of the store, and what is
        active in the store stays so.

    Raises:
      StoreError: for a name that is not there, a damaged patch, or no store.
      OutputError: if `output` lies in the store.
      ApplyError, OSError: as `apply` does.
    """
    with changing(store) as change:
        folder, index = change.folder, change.index
        name = _known(index, BASE if name is None else name)
        if output is None:
            put_active(change, name)
            return folder.active
        _check_outside(folder, output)
        if file_sha256(output) != index.model_sha256(name):
            write_whole(output, folder.model(index, name))
        return os.fspath(output)


def remove(store: AnyPath, name: str) -> bool:
    """Removes a patch; if it is active, the base becomes active first.

    Its file goes with its last name.

    Returns:
      Whether it was active.

    Raises:
      StoreError: for a name that is not there, or no store.
      BaseMismatchError, OSError: if the base cannot be activated.
    """
    with changing(store) as change:
        index = change.index
        name = _known(index, name)
        if name == BASE:
            raise StoreError(
                "The base stays as long as its store; remove the folder to "
                f"be rid of both. Received: {name!r}."
            )
        was_active = index.active.name == name
        if was_active:
            index = put_active(change, BASE)
        write_index(change.folder.path, index.without_patch(name))
    return was_active


def _known(index: Index, name: str) -> str:
    """The name as the store keeps it; StoreError if it is not there."""
    if name != BASE:
        name = checked_name(name)
        index.record(name)
    return name


def _check_outside(folder: StoreFolder, output: AnyPath) -> None:
    real = os.path.realpath(output)
    if real == folder.path or real.startswith(os.path.join(folder.path, "")):
        raise OutputError(
            "The output must lie outside of the store, whose files are its "
            f"own. Received: {os.fspath(output)!r}."
        )
