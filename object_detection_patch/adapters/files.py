"""Shared and task files: what a family of tasks is stored as (FORMAT.md)."""

from __future__ import annotations

import dataclasses
import os

import numpy as np

from object_detection_patch.adapters import frame
from object_detection_patch.adapters.errors import ContentError
from object_detection_patch.adapters.matrices import PARALLEL, SERIES
from object_detection_patch.patch_file import (
    EXACT,
    Edit,
    Encoding,
    Patch,
    Replace,
    errors,
    layout,
    to_bytes,
)

_METHOD = "shared factors"
_KINDS = {PARALLEL: frame.SHARED_PARALLEL, SERIES: frame.SHARED_SERIES}
_TOPOLOGIES = {kind: topology for topology, kind in _KINDS.items()}


@dataclasses.dataclass(frozen=True)
class Shared:
    """The factors that all tasks of a family have alike.

    Args:
      base_fingerprint: of the base of all tasks.
      topology: PARALLEL or SERIES.
      factors: target -> right factor, float32 (K, out).
      sha256: of the file that it was read from; a task file names it.
    """

    base_fingerprint: str
    topology: str
    factors: dict[str, np.ndarray]
    sha256: str


@dataclasses.dataclass(frozen=True)
class Task:
    """What one task has for itself.

    Args:
      shared_sha256: of its family's shared file.
      patch: as the ordinary patch, but for each kernel that has a shared
        factor a `Replace` by the task's own, float32 (rows, K).
    """

    shared_sha256: str
    patch: Patch


def shared_to_bytes(
    base_fingerprint: str,
    topology: str,
    factors: dict[str, np.ndarray],
    encoding: Encoding = EXACT,
) -> bytes:
    """The bytes of a shared file.

    Raises:
      PatchFileError: for factors that no file may hold.
    """
    edits = tuple(Replace(name, value) for name, value in factors.items())
    patch = Patch(_METHOD, base_fingerprint, edits)
    _check_shared(patch, topology)
    within = to_bytes(patch, encoding=encoding)
    return frame.framed(_KINDS[topology], within)


def task_to_bytes(task: Task, encoding: Encoding = EXACT) -> bytes:
    """The bytes of a task file.

    Raises:
      PatchFileError: for a patch that no file may hold.
    """
    _check_task(task.patch)
    within = to_bytes(task.patch, encoding=encoding)
    return frame.framed(frame.TASK, within, task.shared_sha256)


def read_shared(path: str | os.PathLike[str]) -> Shared:
    """Reads a shared file.

    Raises:
      PatchFileError: if it breaks a rule of FORMAT.md.
      OSError: if it cannot be read.
    """
    return frame.read(path, shared_of)


def read_task(path: str | os.PathLike[str]) -> Task:
    """Reads a task file; errors of `read_shared`."""
    return frame.read(path, task_of)


def shared_of(file: frame.FamilyFile) -> Shared:
    """What a shared file holds; ContentError if it must not, or is a task's."""
    if file.kind not in _TOPOLOGIES:
        raise ContentError(
            "This needs a shared file. Received: a task file; the shared file "
            f"that it names has SHA-256 {file.shared_sha256}."
        )
    topology = _TOPOLOGIES[file.kind]
    _refuse_signed(file)
    patch = file.within.patch
    _check_shared(patch, topology)
    factors = {
        edit.target: edit.values
        for edit in patch.edits
        if isinstance(edit, Replace)
    }
    return Shared(patch.base_fingerprint, topology, factors, file.sha256)


def task_of(file: frame.FamilyFile) -> Task:
    """What a task file holds; ContentError if it must not, or is shared."""
    if file.kind != frame.TASK:
        raise ContentError("This needs a task file. Received: a shared file.")
    _refuse_signed(file)
    _check_task(file.within.patch)
    return Task(file.shared_sha256, file.within.patch)


def _refuse_signed(file: frame.FamilyFile) -> None:
    if file.within.signature is not None:
        raise ContentError(
            "The patch within a family's file must not be signed: a signature "
            "is of a whole patch file. Received: a signed one."
        )


def _check_task(patch: Patch) -> None:
    if patch.releases:
        raise ContentError(
            "A task file must have no releases: they are of whole patches. "
            f"Received: {len(patch.releases)}."
        )


def _check_shared(patch: Patch, topology: str) -> None:
    for name, found in (
        ("labels", patch.label_map),
        ("metadata", patch.metadata),
        ("releases", patch.releases),
        ("model metadata", patch.model_metadata),
    ):
        if found:
            raise ContentError(
                f"A shared file must have no {name}. Received: some."
            )
    if not patch.edits:
        raise ContentError(
            "A shared file must hold factors. Received: one without."
        )
    for edit in patch.edits:
        _check_factor(edit, topology)


def _check_factor(edit: Edit, topology: str) -> None:
    if not isinstance(edit, Replace) or edit.values.ndim != 2:
        raise ContentError(
            "A shared file must hold matrices alone. Received: "
            f"{type(edit).__name__} of {errors.shown(edit.target)}."
        )
    rank, outputs = edit.values.shape
    if rank > outputs:
        raise ContentError(
            "A shared factor (K, out) must have a rank K of at most out. "
            f"Received: {errors.shown(edit.values.shape)} for "
            f"{errors.shown(edit.target)}."
        )
    if topology == SERIES and outputs > layout.MAX_MIXED_OUTPUTS:
        raise ContentError(
            f"A series adapter has at most {layout.MAX_MIXED_OUTPUTS} outputs. "
            f"Received: {outputs} for {errors.shown(edit.target)}."
        )
