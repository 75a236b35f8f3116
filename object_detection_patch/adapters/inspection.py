"""What a shared or task file holds: `od-patch inspect`."""

from __future__ import annotations

import os
from typing import Any

from object_detection_patch.adapters import frame
from object_detection_patch.adapters.files import shared_of, task_of
from object_detection_patch.patch_file import inspection


def describe(path: str | os.PathLike[str]) -> dict[str, Any]:
    """A family's file as plain data, ready for `json.dumps`.

    `within` is what `patch_file.describe` says of the patch within, where
    factors are `replace`. `topology` is None of a task file, `shared_sha256`
    of a shared one.

    Raises:
      PatchFileError: if it breaks a rule of FORMAT.md.
      OSError: if it cannot be read.
    """
    return frame.read(path, _described)


def as_text(description: dict[str, Any]) -> str:
    """The text of `od-patch inspect` for what `describe` returned."""
    lines = [
        f"{description['file']}, {description['file_bytes']:,} bytes, "
        f"{frame.AROUND_BYTES} of them around a patch",
        f"SHA-256      {description['sha256']}",
    ]
    if description["topology"] is None:
        lines.append(f"shared file  {description['shared_sha256']}")
    else:
        lines.append(f"topology     {description['topology']}")
    return "\n".join([*lines, "", inspection.as_text(description["within"])])


def _described(file: frame.FamilyFile) -> dict[str, Any]:
    is_task = file.kind == frame.TASK
    topology = None
    if is_task:
        task_of(file)
    else:
        topology = shared_of(file).topology
    return {
        "file": "task file" if is_task else "shared file",
        "format_version": frame.VERSION,
        "file_bytes": file.file_bytes,
        "sha256": file.sha256,
        "shared_sha256": file.shared_sha256 or None,
        "topology": topology,
        "within": inspection.described(file.within),
    }
