"""What a store holds, as the file index.json that is replaced as a whole.

Which model is active is not a matter of this file but of active.tflite: two
files cannot be replaced in one step, and the model is what detects. The
index knows the SHA-256 of every model that the store can make, so it can
tell whose a model is, whichever of the two files a crash left behind.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
from typing import Any

from object_detection_patch.patch_file.errors import shown
from object_detection_patch.patch_file.whole_file import write_whole
from object_detection_patch.tflite.store.errors import StoreError
from object_detection_patch.tflite.store.name import BASE, checked_name

INDEX_FILE = "index.json"
_VERSION = 1
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclasses.dataclass(frozen=True)
class Record:
    """What the index says of one patch.

    Args:
      sha256: of the patch file; its name in the store.
      model_sha256: of base.tflite with this patch.
      labels: display names of its first classes.
    """

    sha256: str
    file_bytes: int
    method: str
    classes: int
    labels: tuple[str, ...]
    model_sha256: str


@dataclasses.dataclass(frozen=True)
class Active:
    """A name, `base` among them, and the model that was written for it."""

    name: str
    model_sha256: str


@dataclasses.dataclass(frozen=True)
class Index:
    """The patches of a store by name; `active` decides between equal ones."""

    base_sha256: str
    active: Active
    patches: dict[str, Record]

    def model_sha256(self, name: str) -> str:
        """The model of a name.

        Raises:
          StoreError: if the store has no such name.
        """
        if name == BASE:
            return self.base_sha256
        return self.record(name).model_sha256

    def record(self, name: str) -> Record:
        """What is known of a patch; StoreError as in `model_sha256`."""
        if name not in self.patches:
            raise StoreError(
                "The name must be that of a patch in the store: "
                f"{', '.join(sorted(self.patches)) or 'there is none yet'}. "
                f"Received: {shown(name)}."
            )
        return self.patches[name]

    def name_of(self, model_sha256: str | None) -> str | None:
        """Whose model this is; None for one that the store cannot make."""
        if model_sha256 == self.active.model_sha256:
            return self.active.name
        if model_sha256 == self.base_sha256:
            return BASE
        for name, record in sorted(self.patches.items()):
            if model_sha256 == record.model_sha256:
                return name
        return None

    def with_active(self, name: str, model_sha256: str) -> Index:
        return dataclasses.replace(self, active=Active(name, model_sha256))

    def with_patch(self, name: str, record: Record) -> Index:
        return dataclasses.replace(self, patches={**self.patches, name: record})

    def without_patch(self, name: str) -> Index:
        rest = {key: r for key, r in self.patches.items() if key != name}
        return dataclasses.replace(self, patches=rest)


def write_index(folder: str, index: Index) -> None:
    """Replaces the index of a store, atomically and durably."""
    content = {"version": _VERSION, **dataclasses.asdict(index)}
    text = json.dumps(content, indent=1, sort_keys=True)
    write_whole(os.path.join(folder, INDEX_FILE), text.encode("ascii"))


def read_index(folder: str) -> Index:
    """Reads the index of a store.

    Raises:
      StoreError: if the folder is no store, or its index is damaged or of a
        newer version.
      OSError: if it cannot be read.
    """
    path = os.path.join(folder, INDEX_FILE)
    try:
        with open(path, "rb") as file:
            content = json.loads(file.read().decode("utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise StoreError(
            "A store must be a folder that `store.init` has finished. "
            f"Received: {folder!r}, without {INDEX_FILE}."
        ) from error
    except (ValueError, RecursionError) as error:
        raise _damaged(path, str(error)) from error
    _check_version(path, content)
    try:
        return _index(content)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _damaged(path, repr(error)) from error


def _check_version(path: str, content: Any) -> None:
    version = content.get("version") if isinstance(content, dict) else None
    if version != _VERSION:
        raise StoreError(
            f"This program reads stores of version {_VERSION}. Received: "
            f"version {shown(version)} in {path!r}; install a program that "
            "knows it."
        )


def _damaged(path: str, reason: str) -> StoreError:
    return StoreError(
        f"The index of a store must be as the store wrote it. Received: "
        f"{path!r}, {shown(reason)}; make the store again from its patches."
    )


def _index(content: dict[str, Any]) -> Index:
    patches = {
        _name(name): _record(fields)
        for name, fields in content["patches"].items()
    }
    name = content["active"]["name"]
    if name != BASE and name not in patches:
        raise ValueError(f"no patch {name}")
    active = Active(name, _digest(content["active"]["model_sha256"]))
    return Index(_digest(content["base_sha256"]), active, patches)


def _record(fields: dict[str, Any]) -> Record:
    return Record(
        _digest(fields["sha256"]),
        _typed(fields["file_bytes"], int),
        _typed(fields["method"], str),
        _typed(fields["classes"], int),
        tuple(_typed(label, str) for label in _typed(fields["labels"], list)),
        _digest(fields["model_sha256"]),
    )


def _name(name: str) -> str:
    if checked_name(name) != name:
        raise ValueError(name)
    return name


def _digest(text: str) -> str:
    # It becomes part of a path.
    if not _DIGEST.fullmatch(text):
        raise ValueError(text)
    return text


def _typed(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise TypeError(value)
    return value
