"""What is fuzzed in Python: readers and appliers, on the inputs of the C++.

A target may raise what the documentation of `apply` names and nothing else.
"""

from __future__ import annotations

import dataclasses
import functools
import struct
from collections.abc import Callable

from fuzz import frame
from fuzz.world import FILL, LENGTH_AT, world_of

from object_detection_patch.adapters import expand, files
from object_detection_patch.adapters import frame as families
from object_detection_patch.patch_file import (
    FingerprintError,
    PatchFileError,
    from_bytes,
    to_bytes,
)
from object_detection_patch.tflite import ApplyError, apply_bytes, sidecar_file

ALLOWED = (PatchFileError, FingerprintError, ApplyError)
_MOST_BASE = 2**16


@dataclasses.dataclass(frozen=True)
class Files:
    """Three files to be applied, and whether the base's hash is skipped."""

    base: bytes
    sidecar: bytes
    patch: bytes
    trust_base: bool = False


def patch(data: bytes) -> None:
    """Reads a patch, with and without its metadata.

    Bad metadata stop the one before what the other reaches.
    """
    file = frame.patch_of_input(data)
    _allowed(functools.partial(from_bytes, metadata=False), file)
    _allowed(from_bytes, file)


def sidecar(data: bytes) -> None:
    """Reads a sidecar."""
    _allowed(sidecar_file.from_bytes, frame.sidecar_of_input(data))


def apply(data: bytes) -> None:
    """Applies any patch to fixed bases."""
    _apply(files_of_apply(data))


def apply_sidecar(data: bytes) -> None:
    """Applies fixed patches under any sidecar."""
    _apply(files_of_apply_sidecar(data))


def family(data: bytes) -> None:
    """Reads a shared and a task file, and writes what they expand to."""
    shared, task = frame.family_of_input(data)

    def expanded(task_bytes: bytes) -> None:
        read = files.task_of(families.parse(task_bytes))
        both = files.shared_of(families.parse(shared))
        to_bytes(expand.expand(both, read))

    _allowed(expanded, task)
    _allowed(lambda file: files.shared_of(families.parse(file)), shared)


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target
    for target in (patch, sidecar, apply, apply_sidecar, family)
}


def files_of_apply(data: bytes) -> Files:
    """The first byte of an input chooses the base."""
    world = world_of(data[0] if data else 0)
    patch_bytes = frame.patch_of_input(data[1:])
    return Files(world.base, world.sidecar, patch_bytes)


def files_of_apply_sidecar(data: bytes) -> Files:
    """The first byte of an input chooses the base.

    It is trusted, so that its hash in the sidecar may be any, and as long as
    the sidecar says, within reason.
    """
    world = world_of(data[0] if data else 0)
    base = world.base
    if len(data) >= 2 + LENGTH_AT + 8:
        (stated,) = struct.unpack_from("<Q", data, 2 + LENGTH_AT)
        base = base.ljust(min(stated, _MOST_BASE), FILL)[
            : min(stated, _MOST_BASE)
        ]
    sidecar_bytes = frame.sidecar_of_input(data[1:])
    return Files(base, sidecar_bytes, world.patch, trust_base=True)


def _apply(files: Files) -> None:
    def applied(patch_bytes: bytes) -> None:
        model = apply_bytes(
            files.base,
            files.sidecar,
            patch_bytes,
            trust_base=files.trust_base,
        )
        # A model always ends in the labels.
        if model[-22:-18] != b"PK\x05\x06":
            raise AssertionError("the result does not end in an archive")

    _allowed(applied, files.patch)


def _allowed(read: Callable[[bytes], object], data: bytes) -> None:
    try:
        read(data)
    except ALLOWED:
        pass
