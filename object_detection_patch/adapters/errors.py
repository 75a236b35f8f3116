"""What can be wrong with a family's files, beside what patch files have."""

from __future__ import annotations

from object_detection_patch.patch_file import PatchFileError


class ContentError(PatchFileError):
    """The patch within a shared or task file holds what it must not hold."""


class OtherFamilyError(PatchFileError):
    """A task file and a shared file that do not belong together."""
