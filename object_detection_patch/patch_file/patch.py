"""A patch in memory: everything one task adds to one base model."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from object_detection_patch.patch_file import errors, layout
from object_detection_patch.patch_file.edits import Edit, check_edits
from object_detection_patch.patch_file.release import Release, check_releases
from object_detection_patch.patch_file.texts import check_name, check_text

_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


@dataclasses.dataclass(frozen=True)
class LabelMapItem:
    """One class of the task, as in an OD API label map; ids start at 1."""

    id: int
    name: str
    display_name: str


@dataclasses.dataclass(frozen=True)
class Patch:
    """What a patch file holds.

    Args:
      method: name of the patch method, for people; readers never act on it.
      base_fingerprint: SHA-256 of the base model, 64 lower-case hex digits.
      edits: in network order; each tensor is edited at most once.
      label_map: the task's classes.
      metadata: a plain JSON object: str keys; lists, not tuples. If it has
        `gateable`, [{"name": kernel, "weights": count}, ...], a kernel there
        without an edit is one whose gate stayed closed.
      releases: what is known of each base file that it was published for.
      model_metadata: the TFLite Model Metadata flatbuffer of the results;
        empty where the base's stays.
    """

    method: str
    base_fingerprint: str
    edits: tuple[Edit, ...]
    label_map: tuple[LabelMapItem, ...] = ()
    metadata: dict[str, Any] = dataclasses.field(default_factory=dict)
    releases: tuple[Release, ...] = ()
    model_metadata: bytes = b""


def check_patch(patch: Patch) -> None:
    """Raises PatchFileError for what no file may hold, metadata apart."""
    check_name("method", patch.method)
    if not _FINGERPRINT.fullmatch(patch.base_fingerprint):
        raise errors.FingerprintFormatError(
            "A base fingerprint is 64 lower-case hexadecimal digits. "
            f"Received: {errors.shown(patch.base_fingerprint)}."
        )
    for edit in patch.edits:
        check_name("target", edit.target)
        if not edit.target:
            raise errors.TextError(
                "An edit must name its target. Received: an empty name."
            )
    check_edits(patch.edits)
    _check_label_map(patch.label_map)
    check_releases(patch.releases)


def _check_label_map(label_map: tuple[LabelMapItem, ...]) -> None:
    ids: set[int] = set()
    for item in label_map:
        if not 1 <= item.id <= layout.MAX_LABEL_ID:
            raise errors.LabelMapError(
                "The ids of a label map lie between 1 (0 is the background) "
                f"and {layout.MAX_LABEL_ID}. Received: {item.id}."
            )
        if item.id in ids:
            raise errors.LabelMapError(
                "Each id of a label map names one class. Received: "
                f"{item.id} twice."
            )
        ids.add(item.id)
        check_text("label_map.name", item.name)
        check_text("label_map.display_name", item.display_name)
