"""What a task costs whose patch has factors in common with others."""

from __future__ import annotations

from typing import Any

import msgspec

from object_detection_patch.adapters import compress
from object_detection_patch.adapters.files import (
    Shared,
    shared_of,
    shared_to_bytes,
    task_to_bytes,
)
from object_detection_patch.adapters.frame import parse
from object_detection_patch.decathlon.running import compressed
from object_detection_patch.decathlon.running.folder import Folder
from object_detection_patch.decathlon.running.record import (
    FileBytes,
    Footprint,
    Outcome,
)
from object_detection_patch.decathlon.suite.runs import Compression
from object_detection_patch.patch_file import ENCODINGS, Patch
from object_detection_patch.training import cost, shipped


def weighed(
    folder: Folder,
    joint: Compression,
    method: Any,
    patch: Patch,
    found: Outcome,
) -> Outcome:
    """The outcome of a run whose patch shares factors: what a task costs.

    Args:
      joint: what the run started from.
      method: the trained model's `patch`.
      patch: what it learned, as an ordinary patch.
      found: its outcome, weighed as that.

    Returns:
      With its sizes those of the task's own file and an even part of the
      family's shared one.
    """
    shared = compressed.family(folder, joint).shared
    tasks = len(joint.patches_of)
    head = cost.uncounted_names(method.hosts)
    whole = _file_sizes(patch, shared, tasks)
    headless = _file_sizes(shipped.without(patch, head), shared, tasks)
    return msgspec.structs.replace(
        found,
        footprint=_footprint(found.footprint, shared, head, tasks),
        file_bytes=FileBytes.by_encoding(whole, headless),
    )


def _file_sizes(patch: Patch, shared: Shared, tasks: int) -> dict[str, int]:
    """Name of an encoding -> bytes of a task's file and part of the shared."""
    sizes = {}
    for name, encoding in ENCODINGS.items():
        data = shared_to_bytes(
            shared.base_fingerprint, shared.topology, shared.factors, encoding
        )
        task = compress.join(patch, shared_of(parse(data)), name="the patch")
        own = task_to_bytes(task, encoding)
        sizes[name] = len(own) + _part(len(data), tasks)
    return sizes


def _footprint(
    whole: Footprint, shared: Shared, uncounted: frozenset[str], tasks: int
) -> Footprint:
    numbers = sum(
        factor.size
        for target, factor in shared.factors.items()
        if target not in uncounted
    )
    others = numbers - _part(numbers, tasks)
    return msgspec.structs.replace(
        whole,
        bits_32=whole.bits_32 - 32 * others,
        bits_8=whole.bits_8 - 8 * others,
    )


def _part(whole: int, tasks: int) -> int:
    return -(-whole // tasks)
