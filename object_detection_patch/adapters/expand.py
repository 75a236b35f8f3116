"""Task file + shared file -> an ordinary patch."""

from __future__ import annotations

import os

import numpy as np

from object_detection_patch.adapters import matrices
from object_detection_patch.adapters.errors import OtherFamilyError
from object_detection_patch.adapters.files import (
    Shared,
    Task,
    read_shared,
    read_task,
)
from object_detection_patch.adapters.low_rank import Factors
from object_detection_patch.adapters.nominal import with_nominal_bits
from object_detection_patch.patch_file import (
    Edit,
    Patch,
    Replace,
    errors,
)


def expand_files(
    shared: str | os.PathLike[str], task: str | os.PathLike[str]
) -> Patch:
    """Reads both files; errors of `expand`, `read_shared` and `read_task`.

    Raises:
      OtherFamilyError: also where the shared file is missing.
    """
    found = read_task(task)
    if not os.path.exists(shared):
        raise OtherFamilyError(
            "A task file needs the shared file of its family, SHA-256 "
            f"{found.shared_sha256}. Received: {os.fspath(shared)!r}, which "
            "does not exist."
        )
    return expand(read_shared(shared), found)


def expand(shared: Shared, task: Task) -> Patch:
    """The ordinary patch of a task.

    Raises:
      OtherFamilyError: if the task names another shared file, is of another
        base, or lacks a factor that fits a shared one.
    """
    if task.shared_sha256 != shared.sha256:
        raise OtherFamilyError(
            "A task file belongs to one shared file, which it names by its "
            f"SHA-256, {task.shared_sha256}. Received: a shared file of "
            f"another family, {shared.sha256}."
        )
    if task.patch.base_fingerprint != shared.base_fingerprint:
        raise OtherFamilyError(
            "Task and shared file must be of one base. Received: bases "
            f"{task.patch.base_fingerprint} and {shared.base_fingerprint}."
        )
    _refuse_lacking(shared, task)
    edits = tuple(_expanded(shared, edit) for edit in task.patch.edits)
    return with_nominal_bits(task.patch, edits)


def _refuse_lacking(shared: Shared, task: Task) -> None:
    held = {edit.target for edit in task.patch.edits}
    lacking = [target for target in shared.factors if target not in held]
    if lacking:
        raise OtherFamilyError(
            "A task file must hold a factor for each shared one. Received: "
            f"none for {errors.shown(lacking[0])}."
        )


def _expanded(shared: Shared, edit: Edit) -> Edit:
    right = shared.factors.get(edit.target)
    if right is None:
        return edit
    if not isinstance(edit, Replace) or not _fit(
        edit.values, right, shared.topology
    ):
        raise OtherFamilyError(
            "A task's factor must be (rows, K) beside a shared one (K, out), "
            "with K at most rows, and with rows = out behind kernels. "
            f"Received: {_described(edit)} of {errors.shown(edit.target)} "
            f"beside {errors.shown(right.shape)}."
        )
    factors = Factors(edit.values, right)
    return matrices.product(shared.topology, edit.target, factors)


def _fit(left: np.ndarray, right: np.ndarray, topology: str) -> bool:
    if left.ndim != 2 or left.shape[1] != right.shape[0]:
        return False
    rows, rank = left.shape
    square = topology == matrices.PARALLEL or rows == right.shape[1]
    return rank <= rows and square


def _described(edit: Edit) -> str:
    if isinstance(edit, Replace):
        return f"{errors.shown(edit.values.shape)}"
    return type(edit).__name__
