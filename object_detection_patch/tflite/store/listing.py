"""What a store holds, and whose model is the active one."""

from __future__ import annotations

import dataclasses

from object_detection_patch.tflite.store.folder import (
    AnyPath,
    StoreFolder,
    file_sha256,
)
from object_detection_patch.tflite.store.index import (
    Index,
    Record,
    read_index,
)

_DIGITS = 12


@dataclasses.dataclass(frozen=True)
class Entry:
    """A patch of a store.

    Args:
      labels: display names of its first classes.
      file_bytes: of the patch file, as is `sha256`.
      active: whether active.tflite is the model of this name.
    """

    name: str
    method: str
    classes: int
    labels: tuple[str, ...]
    file_bytes: int
    sha256: str
    active: bool

    def __str__(self) -> str:
        """One line for people."""
        more = ", ..." if self.classes > len(self.labels) else ""
        return (
            f"{self.name}{' (active)' if self.active else ''}: "
            f"{self.method}, classes: {self.classes} "
            f"({', '.join(self.labels)}{more}), {self.file_bytes:,} bytes, "
            f"SHA-256 {self.sha256[:_DIGITS]}..."
        )


def list_patches(store: AnyPath) -> list[Entry]:
    """The patches of a store by name. It waits for nobody, writes nothing.

    Raises:
      StoreError: if there is no store, or its index is damaged.
      OSError: if it cannot be read.
    """
    index, active = _seen(store)
    return [
        entry(name, record, active)
        for name, record in sorted(index.patches.items())
    ]


def active_name(store: AnyPath) -> str | None:
    """Whose model active.tflite is: a patch's name or `base`.

    None if it is missing or damaged; activating any name mends that.
    Raises as `list_patches` does.
    """
    return _seen(store)[1]


def entry(name: str, record: Record, active: str | None) -> Entry:
    """What people see of a record of the index."""
    return Entry(
        name=name,
        method=record.method,
        classes=record.classes,
        labels=record.labels,
        file_bytes=record.file_bytes,
        sha256=record.sha256,
        active=name == active,
    )


def _seen(store: AnyPath) -> tuple[Index, str | None]:
    folder = StoreFolder.of(store)
    index = read_index(folder.path)
    while True:
        name = index.name_of(file_sha256(folder.active))
        before, index = index, read_index(folder.path)
        # A model that is not known may be of a patch added in between.
        if name is not None or index == before:
            return before, name
