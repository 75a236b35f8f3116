"""Adapters that other runs learned, cut to low rank, for a run to start from.

Numpy alone, so that refusals come before TensorFlow.
"""

from __future__ import annotations

import dataclasses
import hashlib
import pathlib

from object_detection_patch.adapters import compress, expand
from object_detection_patch.adapters.rank_rule import RankRule
from object_detection_patch.decathlon.running.folder import Folder, FolderError
from object_detection_patch.decathlon.suite.runs import Compression, Run
from object_detection_patch.patch_file import (
    EXACT,
    Patch,
    read_patch,
    to_bytes,
)
from object_detection_patch.patch_file.whole_file import write_whole


def require_patches(folder: Folder, run: Run) -> None:
    """Raises FolderError without the patches that a run starts from."""
    for run_id, path in _paths(folder, run).items():
        if not path.exists():
            raise FolderError(
                f"{run.id} starts from the patch that {run_id} left in work/. "
                f"Received: no {path}; remove {folder.run_record(run_id)} to "
                "train it again."
            )


def digest(folder: Folder, run: Run) -> str:
    """SHA-256 of the patches that a run starts from; empty without any."""
    data = b"".join(p.read_bytes() for p in _paths(folder, run).values())
    return hashlib.sha256(data).hexdigest() if data else ""


def write_start(folder: Folder, run: Run) -> None:
    """Writes `folder.run_start`, if a run starts from others' patches.

    Raises:
      ValueError: for patches that cannot be compressed so.
    """
    if run.starts_from is not None:
        start = _start(folder, run, run.starts_from)
        write_whole(folder.run_start(run), to_bytes(start, encoding=EXACT))


def family(folder: Folder, joint: Compression) -> compress.Family:
    """What patches become together; raises as `write_start`."""
    rule = RankRule(share=joint.share)
    return compress.joint(_patches(folder, joint), rule)


def _start(folder: Folder, run: Run, compression: Compression) -> Patch:
    own = dataclasses.replace(run, variant="", starts_from=None).id
    if compression.is_joint:
        found = family(folder, compression)
        task = found.tasks[compression.patches_of.index(own)]
        return expand.expand(found.shared, task)
    rule = RankRule(share=compression.share)
    return compress.per_task(_patches(folder, compression)[own], rule, name=own)


def _patches(folder: Folder, compression: Compression) -> dict[str, Patch]:
    """Id of a run -> what it learned."""
    return {
        run_id: read_patch(folder.patch_of(run_id))
        for run_id in compression.patches_of
    }


def _paths(folder: Folder, run: Run) -> dict[str, pathlib.Path]:
    """Id of a run -> its patch."""
    needed = run.starts_from.patches_of if run.starts_from else ()
    return {run_id: folder.patch_of(run_id) for run_id in needed}
