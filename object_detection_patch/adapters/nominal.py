"""The nominal size that a patch's metadata state, after its edits changed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from object_detection_patch.footprint import nominal_footprint
from object_detection_patch.patch_file import Edit, Patch


def with_nominal_bits(patch: Patch, edits: tuple[Edit, ...]) -> Patch:
    """The patch with other edits, and metadata that are true of them.

    Args:
      patch: whose metadata may state `nominal_bits` and `uncounted`.
      edits: instead of its own.
    """
    metadata = dict(patch.metadata)
    if "nominal_bits" in metadata:
        counted = nominal_footprint(edits, uncounted=_uncounted(metadata))
        metadata["nominal_bits"] = counted.nominal_bits(bits=32)
    return dataclasses.replace(patch, edits=edits, metadata=metadata)


def _uncounted(metadata: Mapping[str, Any]) -> list[str]:
    """What the metadata list, which anybody may have written."""
    found = metadata.get("uncounted", [])
    return found if isinstance(found, list) else []
