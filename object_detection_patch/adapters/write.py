"""Patch files in, compressed files out, and a report of what that cost."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from object_detection_patch.adapters import (
    compress,
    expand,
    loss,
    matrices,
    report,
)
from object_detection_patch.adapters.errors import OtherFamilyError
from object_detection_patch.adapters.files import (
    read_shared,
    task_of,
    task_to_bytes,
)
from object_detection_patch.adapters.frame import parse
from object_detection_patch.adapters.rank_rule import RankRule
from object_detection_patch.patch_file import (
    ENCODINGS,
    Patch,
    from_bytes,
    read_patch,
    to_bytes,
    whole_folder,
)
from object_detection_patch.patch_file.whole_file import write_whole

SHARED_FILE = "shared.odps"
TASK_ENDING = ".odpt"
PATCH_ENDING = ".patch"


def write_per_task(
    paths: Sequence[str],
    rule: RankRule,
    output_dir: str,
    *,
    encoding: str = "exact",
) -> dict[str, Any]:
    """Compresses each patch by itself, to ordinary patch files.

    Args:
      paths: of patch files; each gives `output_dir`/NAME.patch.
      rule: of ranks.
      output_dir: new or empty.
      encoding: of what is written, by its name.

    Returns:
      As `report.as_data`.

    Raises:
      ValueError: for patches, a rule or a folder that will not do.
    """
    whole_folder.refuse_filled(output_dir)
    names = _names(paths, PATCH_ENDING)
    before = _read(paths)
    files, after = {}, {}
    for path, patch in before.items():
        changed = compress.per_task(patch, rule, name=path)
        data = to_bytes(changed, encoding=ENCODINGS[encoding])
        files[names[path]], after[path] = data, from_bytes(data)
    _write_all(output_dir, files)
    losses = {
        path: loss.measured(
            patch, after[path], loss.new_products(patch, after[path])
        )
        for path, patch in before.items()
    }
    return _report(before, losses, _sizes(output_dir, files))


def write_family(
    paths: Sequence[str],
    rule: RankRule,
    output_dir: str,
    *,
    encoding: str = "exact",
) -> dict[str, Any]:
    """Compresses patches together, to a shared file and task files.

    Arguments, result and errors as of `write_per_task`; each patch gives
    `output_dir`/NAME.odpt.
    """
    whole_folder.refuse_filled(output_dir)
    names = _names(paths, TASK_ENDING)
    before = _read(paths)
    chosen = ENCODINGS[encoding]
    family = compress.joint(before, rule, chosen)
    files, after = {SHARED_FILE: family.shared_bytes}, {}
    for path, task in zip(paths, family.tasks, strict=True):
        data = task_to_bytes(task, chosen)
        files[names[path]] = data
        after[path] = expand.expand(family.shared, task_of(parse(data)))
    _write_all(output_dir, files)
    outputs = compress.outputs_of(family.shared)
    losses = {
        path: loss.measured(patch, after[path], outputs)
        for path, patch in before.items()
    }
    return _report(before, losses, _sizes(output_dir, files))


def write_joined(
    path: str, shared_path: str, output: str, *, encoding: str = "exact"
) -> dict[str, Any]:
    """Makes a patch a task of a family that is there.

    Args:
      path: of the patch file.
      shared_path: of the family's shared file, which stays as it is.
      output: task file to write.
      encoding: of it.

    Returns:
      As `report.as_data`.

    Raises:
      ValueError: for files that do not belong together.
    """
    (before,) = _read([path]).values()
    if not os.path.exists(shared_path):
        raise OtherFamilyError(
            "A task joins a family by its shared file. Received: "
            f"{shared_path!r}, which does not exist."
        )
    shared = read_shared(shared_path)
    task = compress.join(before, shared, name=path)
    data = task_to_bytes(task, ENCODINGS[encoding])
    after = expand.expand(shared, task_of(parse(data)))
    write_whole(output, data)
    found = loss.measured(before, after, compress.outputs_of(shared))
    return _report({path: before}, {path: found}, {output: len(data)})


def _read(paths: Sequence[str]) -> dict[str, Patch]:
    """Raises ValueError, naming the file, for one that cannot be read."""
    found = {}
    for path in paths:
        try:
            found[path] = read_patch(path)
        except OSError as error:
            raise ValueError(
                "Adapters are compressed from patch files. Received: "
                f"{path!r}: {error.strerror}."
            ) from error
    return found


def _names(paths: Sequence[str], ending: str) -> dict[str, str]:
    """Path -> name of the file to write."""
    names = {
        path: pathlib.PurePath(path).stem + ending
        for path in dict.fromkeys(paths)
    }
    if len(names) != len(paths) or len(set(names.values())) != len(paths):
        raise ValueError(
            "Patches to compress must have names of their own, which their "
            f"outputs get. Received: {', '.join(paths)}."
        )
    return names


def _write_all(output_dir: str, files: Mapping[str, bytes]) -> None:
    with whole_folder.whole_directory(output_dir) as folder:
        for name, data in files.items():
            write_whole(os.path.join(folder, name), data)


def _sizes(output_dir: str, files: Mapping[str, bytes]) -> dict[str, int]:
    return {
        os.path.join(output_dir, name): len(data)
        for name, data in files.items()
    }


def _report(
    before: Mapping[str, Patch],
    losses: Mapping[str, Sequence[loss.Loss]],
    after: Mapping[str, int],
) -> dict[str, Any]:
    compressed = {one.target for found in losses.values() for one in found}
    kept = dict.fromkeys(
        target
        for patch in before.values()
        for target in matrices.adapters_of(patch)
        if target not in compressed
    )
    return report.as_data(
        before={path: os.path.getsize(path) for path in before},
        after=after,
        losses=losses,
        kept=list(kept),
    )
