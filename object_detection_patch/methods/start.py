"""The patch file that a training starts with: `init_from_patch`."""

from __future__ import annotations

from collections.abc import Iterable

from object_detection_patch.hosts import Hosts
from object_detection_patch.methods import base
from object_detection_patch.patch_file import (
    Edit,
    FingerprintError,
    Patch,
    read_patch,
)
from object_detection_patch.protos import patch_pb2

_WHERE = "(pipeline.config, [object_detection_patch.patch] init_from_patch)."


def of_config(config: patch_pb2.Patch) -> Patch | None:
    """The patch that a config starts with, or None.

    Raises:
      ValueError: for a file that is missing or no patch file.
    """
    path = config.init_from_patch
    if not path:
        return None
    try:
        return read_patch(path)
    except OSError as error:
        raise ValueError(
            "`init_from_patch` must name a patch file. Received: "
            f"{path!r}: {error.strerror} {_WHERE}"
        ) from error


def begin(
    start: Patch,
    *,
    base_fingerprint: str,
    patched: Iterable[tuple[base.Host, base.HostPatch]],
    hosts: Hosts,
) -> None:
    """Gives an initialised patch, and the heads, the numbers of a file.

    Args:
      start: the file's patch.
      base_fingerprint: of the base that was restored.
      patched: each patched host and its patch.
      hosts: whose heads the task trains.

    Raises:
      FingerprintError: for a patch of another base.
      ValueError: unless the file has an edit for each patched host and each
        head, and no other.
    """
    if start.base_fingerprint != base_fingerprint:
        raise FingerprintError(
            "A training starts with a patch of its own base. Received: a "
            f"patch for base {start.base_fingerprint}, but the base is "
            f"{base_fingerprint} {_WHERE}"
        )
    left = {edit.target: edit for edit in start.edits}
    for host, patch in patched:
        _refuse_unable(host, patch)
        patch.start_from(host, _taken(left, host.name))
    for head in hosts.heads:
        base.assign_replaced(head.variable, _taken(left, head.name))
    if left:
        raise ValueError(
            "The parts of a config must take all that `init_from_patch` has. "
            f"Received: {len(left)} edits that none takes, {min(left)} among "
            f"them {_WHERE}"
        )


def _refuse_unable(host: base.Host, patch: base.HostPatch) -> None:
    if type(patch).start_from is base.HostPatch.start_from:
        raise ValueError(
            "`init_from_patch` can start parts that train numbers, adapters "
            f"among them. Received: {type(patch).__name__} at {host.name} "
            f"{_WHERE}"
        )


def _taken(left: dict[str, Edit], name: str) -> Edit:
    if name not in left:
        raise ValueError(
            "`init_from_patch` must have numbers for all that the parts of a "
            f"config train. Received: none for {name} {_WHERE}"
        )
    return left.pop(name)
